// The few colours of the reports by what they mean; plain text unless colour was asked for.

import pc from 'picocolors';

type Paint = (text: string) => string;

export interface Palette {
  readonly dim: Paint;
  readonly bold: Paint;
  /** A violation. */
  readonly bad: Paint;
  /** A warning, or something missing. */
  readonly warn: Paint;
  readonly head: Paint;
  /** The colour of the ring or matter that a kind of event belongs to. */
  readonly kind: (kind: string, text: string) => string;
}

export function createPalette(colour: boolean): Palette {
  const paint = pc.createColors(colour);
  const byMatter: readonly (readonly [RegExp, Paint])[] = [
    [/drop/, paint.red],
    [/_fill_/, paint.cyan],
    [/_rx_/, paint.green],
    [/_tx_/, paint.yellow],
    [/_comp_/, paint.magenta],
    [/^neigh_/, paint.blue],
  ];
  const paints = new Map<string, Paint>();
  return {
    dim: paint.dim,
    bold: paint.bold,
    bad: (text) => paint.bold(paint.red(text)),
    warn: paint.yellow,
    head: paint.dim,
    kind(kind, text) {
      let known = paints.get(kind);
      if (!known) {
        known = byMatter.find(([pattern]) => pattern.test(kind))?.[1] ?? String;
        paints.set(kind, known);
      }
      return known(text);
    },
  };
}
