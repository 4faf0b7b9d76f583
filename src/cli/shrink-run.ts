// What flightring shrink does, loaded only when it is run.

import { existsSync, type Stats, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { RecordingError, UsageError } from '../model/errors.ts';
import { openRecording, type Recording } from '../recording/open.ts';
import { createPalette, type Palette } from '../report/palette.ts';
import { printable } from '../report/printable.ts';
import { formatCount, formatSpan, plural } from '../report/span.ts';
import { nextCommands } from '../report/violation.ts';
import { fixtureText } from '../shrink/fixture.ts';
import { shrinkRecording, type Shrunk, writeShrunk } from '../shrink/shrink.ts';
import { wantsColour } from './colour.ts';
import { type ChosenInvariants, chooseInvariants } from './invariant-list.ts';
import { tellNewer, writeLines } from './output.ts';
import { startProgress } from './progress.ts';

export interface ShrinkFlags {
  readonly out?: string;
  readonly violation?: string;
  readonly invariants?: string;
  readonly fixture?: string;
  readonly json?: boolean;
  readonly color: boolean;
}

export async function runShrink(
  file: string,
  flags: ShrinkFlags,
  out: NodeJS.WriteStream = process.stdout,
  err: NodeJS.WriteStream = process.stderr,
): Promise<void> {
  const recording = await openRecording(file);
  const path = flags.out ?? shrunkName(file);
  refuseTarget(path, file);
  if (flags.fixture !== undefined) refuseFixture(flags.fixture);
  const started = performance.now();
  const shrunk = await shrinkForCommand(recording, flags, err);
  writeShrunk(shrunk, path);
  if (flags.fixture !== undefined) writeFixture(flags.fixture, shrunk);
  const tookNs = (performance.now() - started) * 1e6;
  const palette = createPalette(!flags.json && wantsColour(out, flags.color));
  await writeLines(
    out,
    flags.json
      ? [JSON.stringify(facts(shrunk, file, path, tookNs))]
      : [
          ...lines(recording, shrunk, path, flags.fixture, tookNs, palette),
          ...othersLine(recording, flags).map(palette.dim),
        ],
  );
  tellNewer(recording, err);
  const { damage, rows } = recording;
  if (damage !== null)
    throw new RecordingError(
      'DAMAGED',
      `${file}: ${damage.message}; only the first ${damage.rowsReadable} of its ${rows} records could be used.`,
    );
}

/** Of the options that shrink and explain share: which violation, and of which invariants. */
export async function shrinkForCommand(
  recording: Recording,
  flags: Pick<ShrinkFlags, 'violation' | 'invariants'>,
  err: NodeJS.WriteStream,
): Promise<Shrunk> {
  const violation = flags.violation === undefined ? undefined : readNumber(flags.violation);
  const chosen: ChosenInvariants | null =
    flags.invariants === undefined ? null : await chooseInvariants(flags.invariants);
  const progress = startProgress(recording.path, err);
  try {
    return await shrinkRecording(recording, {
      ...(violation === undefined ? {} : { violation }),
      ...(chosen === null ? {} : { invariants: chosen.invariants }),
      onProgress: (_step, done, total) => progress.tell(done, total),
    });
  } catch (error) {
    throw chosen === null ? error : chosen.explain(error);
  } finally {
    progress.end();
  }
}

/** That there are more violations than the one at hand; of invariants other than the recording's own it isn't known. */
export function othersLine({ meta, path }: Recording, flags: Pick<ShrinkFlags, 'invariants'>): string[] {
  const { length } = meta.violations;
  if (length < 2 || flags.invariants !== undefined) return [];
  return [
    `One of ${formatCount(length)} violations and warnings that "flightring check ${printable(path)}" lists; --violation NUMBER takes another.`,
  ];
}

function readNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new UsageError('BAD_NUMBER', `--violation takes a number from 1 on, not "${text}".`);
  return Number(text);
}

function shrunkName(file: string): string {
  return join(dirname(file), `${basename(file).replace(/\.(parquet|raw)$/, '')}.shrunk.parquet`);
}

/** Said before the work is done, not after. */
function refuseTarget(path: string, file: string): void {
  const [there, own] = [path, file].map(statOf);
  if (there && own && there.dev === own.dev && there.ino === own.ino)
    throw new UsageError('SAME_FILE', `${path} is the recording itself; name another file with -o.`);
  if (there && !there.isFile())
    throw new UsageError('UNWRITABLE', `${path} is no file; give the name of one with -o.`);
  if (!there && !statOf(dirname(path))?.isDirectory())
    throw new UsageError('UNWRITABLE', `There is no folder ${dirname(path)}; name another file with -o.`);
}

/** Undefined for what isn't there, or can't be looked at: writing will say why. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

function refuseFixture(path: string): void {
  if (existsSync(path))
    throw new UsageError(
      'UNWRITABLE',
      `${path} is there already and may hold more than this test case; name another file with --fixture.`,
    );
}

function writeFixture(path: string, shrunk: Shrunk): void {
  try {
    // A test that is there already may hold more than this one.
    writeFileSync(path, fixtureText(shrunk), { flag: 'wx' });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError('UNWRITABLE', `The test case can't be written: ${why}.`, { cause });
  }
}

function facts(shrunk: Shrunk, file: string, path: string, tookNs: number): object {
  const { meta, events, trials, original, violation } = shrunk;
  return {
    from: file,
    path,
    events,
    eventsRemoved: meta.shrunk?.eventsRemoved,
    objects: meta.objects.length,
    objectsRemoved: meta.shrunk?.objectsRemoved,
    trials,
    seconds: tookNs / 1e9,
    original,
    violation,
  };
}

function lines(
  { rows, meta: { objects } }: Recording,
  { invariant, violation, original, meta, events, trials }: Shrunk,
  path: string,
  fixture: string | undefined,
  tookNs: number,
  palette: Palette,
): string[] {
  const title = (word: string) => palette.dim(word.padEnd(10));
  const removed = meta.shrunk?.objectsRemoved ?? 0;
  return [
    palette.bad(`✗ ${invariant.name}`),
    `  ${palette.bold(printable(violation.sentence))}`,
    ...(violation.sentence === original.sentence
      ? []
      : [palette.dim(`  was: ${printable(original.sentence)}`)]),
    '',
    `${title('events')}${plural(rows, 'record')} → ${palette.bold(String(events))}`,
    ...(objects.length > 0
      ? [`${title('objects')}${objects.length} → ${palette.bold(String(objects.length - removed))}`]
      : []),
    `${title('effort')}${plural(trials, 'trial')}, ${formatSpan(tookNs)}`,
    `${title('recording')}${path}`,
    ...(fixture === undefined ? [] : [`${title('test case')}${fixture}`]),
    ...nextCommands(violation, path)
      .slice(0, 2)
      .map((command, i) => `${title(i === 0 ? 'next' : '')}${printable(command)}`),
  ];
}
