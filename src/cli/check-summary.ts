// What came out of checking many recordings: a line each, and at the end how often each invariant was violated, held, or neither.

import type { CheckOutcome } from '../bulk/check-recordings.ts';
import { EXIT, type ExitCode } from '../model/errors.ts';
import type { RecordingCheck, Verdict } from '../pipeline.ts';
import type { RecordingFacts } from '../recording/open.ts';
import type { Palette } from '../report/palette.ts';
import { formatCount, formatSpan, plural } from '../report/span.ts';
import { printable } from '../report/printable.ts';
import { exitCodeOf } from './check-exit.ts';

/** Recordings listed by name in the summary; those beyond are only counted. */
const NAMES = 20;

/** Adds up outcomes; keeps nothing of a recording but its name, and that only if something is wrong with it. */
export class CheckTotals {
  readonly #verdicts = new Map<string, Record<Verdict, number>>();
  readonly #unreadable: { path: string; message: string }[] = [];
  readonly #violated: string[] = [];
  readonly #codes = new Map<ExitCode, number>();
  recordings = 0;
  events = 0;
  lost = 0;

  add({ path, check, failure }: CheckOutcome): void {
    this.recordings++;
    const code = check === null ? EXIT.badInput : exitCodeOf(check);
    this.#codes.set(code, (this.#codes.get(code) ?? 0) + 1);
    if (check === null) {
      this.#unreadable.push({ path, message: failure.message });
      return;
    }
    this.events += check.summary.events;
    this.lost += check.summary.lost;
    if (check.recording.damage) this.#unreadable.push({ path, message: damageSentence(check) });
    if (check.verdicts.some(({ verdict }) => verdict === 'violated')) this.#violated.push(path);
    for (const { invariant, verdict } of check.verdicts) {
      const counts = this.#verdicts.get(invariant) ?? { violated: 0, holds: 0, unknown: 0 };
      counts[verdict]++;
      this.#verdicts.set(invariant, counts);
    }
  }

  /** A folder that could not be looked through. */
  addUnreadable(path: string, message: string): void {
    this.#unreadable.push({ path, message });
  }

  lines(palette: Palette, files: number, ms: number): string[] {
    const names = [...this.#verdicts].sort(([a], [b]) => Number(a > b) - Number(a < b));
    const width = Math.max(0, ...names.map(([name]) => name.length));
    const part = (count: number, verdict: Verdict, paint: (text: string) => string): string =>
      count === 0 ? '' : paint(`${verdict} in ${formatCount(count)}`);
    const rate = ms > 0 ? `, ${formatRate(this.events, ms)}` : '';
    const unchecked = files - this.recordings;
    return [
      palette.bold(
        `${plural(this.recordings, 'recording')}, ${plural(this.events, 'event')} in ${formatSpan(ms * 1e6)}${rate}`,
      ),
      ...(unchecked > 0 ? [palette.warn(`stopped: ${plural(unchecked, 'recording')} not checked`)] : []),
      ...names.map(([name, { violated, holds, unknown }]) =>
        [
          printable(name).padEnd(width),
          [
            part(violated, 'violated', palette.bad),
            part(holds, 'holds', String),
            part(unknown, 'unknown', palette.warn),
          ]
            .filter((text) => text !== '')
            .join(', '),
        ].join('  '),
      ),
      ...listed('violated', this.#violated.map(printable), palette),
      ...listed(
        'unreadable',
        this.#unreadable.map(({ message }) => printable(message)),
        palette,
      ),
    ];
  }

  facts(files: number, ms: number): Record<string, unknown> {
    return {
      recordings: this.recordings,
      notChecked: files - this.recordings,
      events: this.events,
      lost: this.lost,
      seconds: ms / 1000,
      verdicts: Object.fromEntries(this.#verdicts),
      violated: this.#violated,
      unreadable: this.#unreadable,
    };
  }
}

/** Millions of events each second. */
export function formatRate(events: number, ms: number): string {
  return `${(events / Math.max(ms, 1) / 1000).toFixed(2)} M events/s`;
}

function listed(what: string, entries: readonly string[], palette: Palette): string[] {
  if (entries.length === 0) return [];
  const more = entries.length - NAMES;
  return [
    `${what}: ${formatCount(entries.length)}`,
    ...entries.slice(0, NAMES).map((entry) => `  ${entry}`),
    ...(more > 0 ? [palette.dim(`  … and ${formatCount(more)} more`)] : []),
  ];
}

export function damageSentence({ recording }: RecordingCheck<RecordingFacts>): string {
  const { path, damage, rows } = recording;
  return `${printable(path)}: ${damage?.message}; ${damage?.rowsReadable} of ${rows} events could be checked.`;
}

/** One recording in a line: the worst verdict, and what it is about. */
export function outcomeLine({ path, check, failure }: CheckOutcome, palette: Palette): string {
  if (check === null) return `${palette.bad('unreadable')}  ${printable(path)}  ${palette.dim(failure.code)}`;
  const violated = check.verdicts.filter(({ verdict }) => verdict === 'violated');
  const unknown = check.verdicts.filter(({ verdict }) => verdict === 'unknown');
  const [first] = check.summary.violations;
  if (violated.length > 0) {
    const told = first === undefined ? 'seen live, before the window' : printable(first.sentence);
    const names = violated.map(({ invariant }) => printable(invariant)).join(', ');
    return `${palette.bad('violated')}    ${printable(path)}  ${names}: ${told}`;
  }
  const events = plural(check.summary.events, 'event');
  if (unknown.length < check.verdicts.length)
    return `${palette.bold('holds')}       ${printable(path)}  ${palette.dim(`${events}; unknown: ${unknown.length} of ${check.verdicts.length} invariants`)}`;
  const [reason] = unknown.flatMap(({ reasons }) => reasons);
  return `${palette.warn('unknown')}     ${printable(path)}  ${palette.dim(`${events}${reason === undefined ? '' : `; ${printable(reason)}`}`)}`;
}
