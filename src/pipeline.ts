// The offline pipeline: a recording, through the invariants, to a verdict and its likeness to the live one.

import { Checker } from './check/checker.ts';
import { type Invariant, neededKinds } from './check/invariant.ts';
import { withPositions } from './decode/once.ts';
import { INVARIANTS } from './generated/invariants.ts';
import { PROBE_PATHS } from './generated/probes.ts';
import { UsageError } from './model/errors.ts';
import type { ProbeCoverage, RecordingMeta } from './model/recording.ts';
import { SNAPSHOT_CPU, SNAPSHOT_TELLING } from './model/slot.ts';
import type { CheckSummary, InvariantCounts, Violation } from './model/violation.ts';
import { openRecording, type Recording, type RecordingFacts } from './recording/open.ts';
import { createObjectTable } from './report/objects.ts';

/** What is known of one claim: broken, kept wherever it could be judged completely, or neither. */
export type Verdict = 'violated' | 'holds' | 'unknown';

export interface InvariantVerdict {
  readonly invariant: string;
  readonly verdict: Verdict;
  readonly counts: InvariantCounts;
  /** Why something could not be judged, one clause each; empty for a verdict without reserve. */
  readonly reasons: readonly string[];
}

/** The live verdict against the one found now, by (invariant, object, event). */
export interface LiveComparison {
  readonly live: number;
  readonly reproduced: number;
  /** Found live in this window, but not now. */
  readonly missing: readonly Violation[];
  /** Found now, but not live. */
  readonly added: readonly Violation[];
  /** Both times, in other words or with other evidence. */
  readonly changed: readonly { readonly live: Violation; readonly now: Violation }[];
}

export interface RecordingCheck<R extends RecordingFacts = Recording> {
  readonly recording: R;
  readonly summary: CheckSummary;
  readonly verdicts: readonly InvariantVerdict[];
  /** Violations seen live whose history lies before the window. */
  readonly outOfWindow: readonly Violation[];
  /** Of the invariants checked both times; null if none was. */
  readonly comparison: LiveComparison | null;
  /** Invariants of the recording that are not known here. */
  readonly unknownInvariants: readonly string[];
  /** Checked by another version than live. */
  readonly otherVersions: readonly string[];
}

export interface CheckOptions {
  /** Default: those that the recording was made with. */
  readonly invariants?: readonly Invariant[];
  /** Called after each batch with the records checked so far and all there are. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Replays a recording through invariants, exactly as they ran live.
 *
 * @example
 * const { verdicts, summary } = await checkRecording('freeze.parquet');
 */
export async function checkRecording(
  source: string | Recording,
  options: CheckOptions = {},
): Promise<RecordingCheck> {
  const recording = typeof source === 'string' ? await openRecording(source) : source;
  const { meta, rows } = recording;
  const unknownInvariants = options.invariants ? [] : unknownTo(meta);
  const wanted = options.invariants ?? recordedInvariants(recording);
  const partial = recording.newer?.partial ?? [];
  const invariants = checkable(recording, wanted);
  const checker = new Checker(invariants, createObjectTable(meta.objects), meta.clocks.errorNs);
  const kinds = withPositions(invariants.flatMap(neededKinds));
  for (const batch of recording.batches({ kinds, reuse: true })) {
    checker.check(batch);
    options.onProgress?.(checker.events, rows);
  }
  const { events, lost, violations } = checker;
  const counts = checker.counts();
  const summary: CheckSummary = { events, lost, violations, counts };
  return {
    recording,
    summary,
    verdicts: wanted.map((invariant) =>
      invariants.includes(invariant) ? judge(invariant, summary, recording) : unjudged(invariant, partial),
    ),
    outOfWindow: meta.outOfWindow ?? [],
    comparison: compareWithLive(meta, violations, invariants),
    unknownInvariants,
    otherVersions: invariants.filter((invariant) => isOtherVersion(meta, invariant)).map(({ name }) => name),
  };
}

/** Those that need nothing which a newer version tells otherwise than this one knows. */
export function checkable({ newer }: RecordingFacts, wanted: readonly Invariant[]): readonly Invariant[] {
  const partial = newer?.partial ?? [];
  return wanted.filter((invariant) => !neededKinds(invariant).some((kind) => partial.includes(kind)));
}

function isOtherVersion(meta: RecordingMeta, { name, version = 1 }: Invariant): boolean {
  const live = meta.invariants.find((invariant) => invariant.name === name);
  return live !== undefined && live.version !== version;
}

function unknownTo(meta: RecordingMeta): string[] {
  return meta.invariants
    .filter(({ name }) => !INVARIANTS.some((known) => known.name === name))
    .map(({ name }) => name);
}

/** Those that a recording was made with, or all of them if it doesn't say. */
export function recordedInvariants({ meta, path }: Recording): readonly Invariant[] {
  if (meta.invariants.length === 0) return INVARIANTS;
  const known = INVARIANTS.filter(({ name }) => meta.invariants.some((live) => live.name === name));
  if (known.length > 0) return known;
  const names = meta.invariants.map(({ name }) => name).join(', ');
  throw new UsageError(
    'UNKNOWN_INVARIANT',
    `${path} was made with ${names}, which this flightring doesn't have; name a module that has it with --invariants ./mine.ts.`,
  );
}

function judge(invariant: Invariant, summary: CheckSummary, { meta, damage }: Recording): InvariantVerdict {
  const counts = summary.counts[invariant.name] as InvariantCounts;
  const reasons: string[] = [];
  const blind = neededKinds(invariant).filter((kind) => isBlind(kind, meta.coverage));
  if (blind.length > 0) reasons.push(`no probe that writes ${blind.join(', ')} was attached`);
  if (counts.checked === 0) reasons.push('the recording has none of the events it needs');
  if (counts.unknown > 0)
    reasons.push(`${amount(counts.unknown, 'object')} became unknown where history was missing`);
  if (counts.evicted > 0) reasons.push(`${amount(counts.evicted, 'object')} beyond what it keeps state for`);
  if (counts.unplaced > 0) reasons.push(`${amount(counts.unplaced, 'event')} could not be placed`);
  if (damage !== null) reasons.push('the rest of the recording is damaged');
  const broken =
    counts.fired > 0 || (meta.outOfWindow ?? []).some((violation) => violation.invariant === invariant.name);
  return {
    invariant: invariant.name,
    verdict: broken ? 'violated' : reasons.length > 0 ? 'unknown' : 'holds',
    counts,
    reasons,
  };
}

/** Of a newer version's recording, which tells in another way what this one would look at. */
function unjudged(invariant: Invariant, partial: readonly string[]): InvariantVerdict {
  const kinds = neededKinds(invariant).filter((kind) => partial.includes(kind));
  return {
    invariant: invariant.name,
    verdict: 'unknown',
    counts: { checked: 0, fired: 0, unplaced: 0, evicted: 0, unknown: 0 },
    reasons: [`this flightring can't read all of ${kinds.join(', ')} as the newer version wrote it`],
  };
}

/** By kind: names of the probes that write it. */
const WRITERS = new Map<string, Set<string>>();
for (const { name, writes } of PROBE_PATHS.flatMap(({ probes }) => probes))
  for (const kind of writes) WRITERS.set(kind, (WRITERS.get(kind) ?? new Set()).add(name));

/** Whether every probe that writes the kind was left out; of a recording that doesn't say, nothing is assumed. */
function isBlind(kind: string, coverage: readonly ProbeCoverage[]): boolean {
  const imported = coverage.filter(({ kinds }) => kinds !== undefined);
  if (imported.length > 0)
    return !imported.some(({ kinds = [], method }) => method !== null && kinds.includes(kind));
  const writers = WRITERS.get(kind);
  const known = coverage.filter(({ probe }) => writers?.has(probe));
  return known.length > 0 && known.every(({ method }) => method === null);
}

function amount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function compareWithLive(
  meta: RecordingMeta,
  now: readonly Violation[],
  invariants: readonly Invariant[],
): LiveComparison | null {
  const both = new Set(
    invariants.map(({ name }) => name).filter((name) => meta.invariants.some((live) => live.name === name)),
  );
  if (both.size === 0) return null;
  const beyond = new Set((meta.outOfWindow ?? []).map(placeOf));
  const live = meta.violations.filter(
    (violation) => both.has(violation.invariant) && !beyond.has(placeOf(violation)),
  );
  const left = new Map<string, Violation[]>();
  for (const violation of live)
    left.set(placeOf(violation), [...(left.get(placeOf(violation)) ?? []), violation]);
  const added: Violation[] = [];
  const changed: { live: Violation; now: Violation }[] = [];
  let reproduced = 0;
  for (const violation of now) {
    const place = placeOf(violation);
    if (!both.has(violation.invariant) || beyond.has(place)) continue;
    const before = left.get(place)?.shift();
    if (before === undefined) added.push(violation);
    else if (wordsOf(before) === wordsOf(violation)) reproduced++;
    else changed.push({ live: before, now: violation });
  }
  return { live: live.length, reproduced, missing: [...left.values()].flat(), added, changed };
}

function placeOf({ invariant, object, at }: Violation): string {
  return `${invariant} ${object} ${at.cpu} ${at.seq}`;
}

function wordsOf({ sentence, severity, orderDependent, evidence }: Violation): string {
  return JSON.stringify([
    sentence,
    severity,
    orderDependent,
    // A recording may tell of what existed more than once: which telling it was makes no difference.
    evidence.map(({ cpu, seq, ts, kind }) =>
      cpu === SNAPSHOT_CPU ? [cpu, seq % SNAPSHOT_TELLING, kind] : [cpu, seq, ts, kind],
    ),
  ]);
}
