// What flightring invariants does, loaded only when it is run.

import type { Invariant } from '../check/invariant.ts';
import { INVARIANTS } from '../generated/invariants.ts';
import { UsageError } from '../model/errors.ts';
import { toDot, toMermaid } from '../report/invariant-graph.ts';
import { invariantFacts, invariantList, invariantPage } from '../report/invariant-page.ts';
import { createPalette } from '../report/palette.ts';
import { wantsColour } from './colour.ts';
import { unknownWord } from './nearest.ts';
import { writeLines } from './output.ts';

export interface InvariantsOptions {
  readonly format: string;
  readonly color: boolean;
}

const FORMATS = ['text', 'json', 'mermaid', 'dot'] as const;
type Format = (typeof FORMATS)[number];

export async function showInvariants(
  name: string | undefined,
  options: InvariantsOptions,
  out: NodeJS.WriteStream = process.stdout,
): Promise<void> {
  const format = FORMATS.find((known) => known === options.format);
  if (!format) throw unknownWord('format', options.format, FORMATS);
  const chosen = name === undefined ? INVARIANTS : [findInvariant(name)];
  await writeLines(
    out,
    name === undefined
      ? listLines(chosen, format, options, out)
      : pageLines(chosen[0] as Invariant, format, options, out),
  );
}

function findInvariant(name: string): Invariant {
  const found = INVARIANTS.find((invariant) => invariant.name === name);
  if (!found)
    throw unknownWord(
      'invariant',
      name,
      INVARIANTS.map((invariant) => invariant.name),
    );
  return found;
}

function listLines(
  invariants: readonly Invariant[],
  format: Format,
  { color }: InvariantsOptions,
  out: NodeJS.WriteStream,
): string[] {
  if (format === 'json') return [JSON.stringify(invariants.map(invariantFacts), null, 2)];
  if (format !== 'text')
    throw new UsageError(
      'NO_INVARIANT',
      `--format ${format} draws one invariant; give its name, for example xsk.ownership.`,
    );
  return invariantList(invariants, createPalette(wantsColour(out, color)));
}

function pageLines(
  invariant: Invariant,
  format: Format,
  { color }: InvariantsOptions,
  out: NodeJS.WriteStream,
): string[] {
  switch (format) {
    case 'json':
      return [JSON.stringify(invariantFacts(invariant), null, 2)];
    case 'text':
      return invariantPage(invariant, createPalette(wantsColour(out, color)));
    default: {
      const drawn = format === 'dot' ? toDot(invariant) : toMermaid(invariant);
      if (drawn === null)
        throw new UsageError(
          'NO_PICTURE',
          `${invariant.name} has no table of moves to draw; --format text says what it claims.`,
        );
      return [drawn];
    }
  }
}
