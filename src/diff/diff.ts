// Two recordings of the same scenario: what differs between them, most different first.

import { checkRecording, type InvariantVerdict, type Verdict } from '../pipeline.ts';
import { LAYOUTS } from '../generated/layouts.ts';
import { UsageError } from '../model/errors.ts';
import type { ProbeCoverage } from '../model/recording.ts';
import { openRecording, type Recording } from '../recording/open.ts';
import { createObjectTable } from '../report/objects.ts';
import { compareProfiles, type Difference } from './compare.ts';
import { type Profile, profileOf } from './profile.ts';

export interface DiffOptions {
  /** From which factor on a difference is notable. Default 1.5. */
  readonly threshold?: number;
  /** Called now and then with the records looked at in both and all there are; each is read twice. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface DiffSide {
  readonly path: string;
  readonly kernel: string;
  readonly events: number;
  readonly spanNs: number;
  /** Events lost inside, and overwritten before they were read. */
  readonly lost: number;
  /** Objects whose moves could not be followed to the end: there were too many at a time. */
  readonly forgotten: number;
}

export interface VerdictDifference {
  readonly invariant: string;
  /** Null where the recording was not made with it. */
  readonly a: VerdictFacts | null;
  readonly b: VerdictFacts | null;
}

export interface VerdictFacts {
  readonly verdict: Verdict;
  readonly fired: number;
}

export interface CoverageDifference {
  readonly probe: string;
  readonly path: string;
  readonly a: string;
  readonly b: string;
}

/** A path that only one of them was recorded with: of its events nothing can be compared. */
export interface PathDifference {
  readonly path: string;
  readonly recordedIn: 'a' | 'b';
}

export interface RecordingDiff {
  readonly a: DiffSide;
  readonly b: DiffSide;
  readonly paths: readonly PathDifference[];
  readonly verdicts: readonly VerdictDifference[];
  readonly coverage: readonly CoverageDifference[];
  /** Those that are notable. */
  readonly differences: readonly Difference[];
  /** Figures that differ by less, or that may do so by chance. */
  readonly minor: readonly Difference[];
  /** A verdict, a probe or a figure differs notably, or only one of them holds any event. */
  readonly differ: boolean;
}

const NOTABLE = 1.5;

/**
 * Compares two recordings. Rates are per second of the time that a path's events are all there, so that a window's length
 * makes no difference; what a few events could show by chance is not notable.
 *
 * @example
 * const { differences } = await diffRecordings('before.parquet', 'after.parquet');
 * for (const { subject, measure, a, b } of differences) console.log(measure, subject, a, b);
 */
export async function diffRecordings(
  a: string | Recording,
  b: string | Recording,
  { threshold = NOTABLE, onProgress = () => {} }: DiffOptions = {},
): Promise<RecordingDiff> {
  const recordings = [await opened(a), await opened(b)] as const;
  const total = 2 * (recordings[0].rows + recordings[1].rows);
  const one = await lookAt(recordings[0], (done) => onProgress(done, total));
  const other = await lookAt(recordings[1], (done) => onProgress(2 * recordings[0].rows + done, total));
  const paths = comparePaths(pathsOf(recordings[0], one.profile), pathsOf(recordings[1], other.profile));
  const isCompared = ({ path }: Difference) => !paths.some((one) => one.path === path);
  const all = compareProfiles(one.profile, other.profile).filter(isCompared);
  const differences = all.filter(({ atLeast }) => atLeast >= threshold);
  const verdicts = compareVerdicts(one.verdicts, other.verdicts);
  const coverage = compareCoverage(recordings[0].meta.coverage, recordings[1].meta.coverage);
  return {
    a: one.side,
    b: other.side,
    paths,
    verdicts,
    coverage,
    differences,
    minor: all.filter(({ atLeast }) => atLeast < threshold),
    differ:
      differences.length + verdicts.length + coverage.length > 0 ||
      (one.side.events === 0) !== (other.side.events === 0),
  };
}

async function opened(source: string | Recording): Promise<Recording> {
  return typeof source === 'string' ? openRecording(source) : source;
}

interface Look {
  readonly side: DiffSide;
  readonly profile: Profile;
  readonly verdicts: ReadonlyMap<string, VerdictFacts>;
}

async function lookAt(recording: Recording, onProgress: (done: number) => void): Promise<Look> {
  const { meta, rows, path } = recording;
  const profile = profileOf(recording.batches(), createObjectTable(meta.objects), onProgress);
  const verdicts = await verdictsOf(recording, (done) => onProgress(rows + done));
  return {
    profile,
    verdicts: new Map(
      verdicts.map(({ invariant, verdict, counts }) => [invariant, { verdict, fired: counts.fired }]),
    ),
    side: {
      path,
      kernel: meta.kernel.release,
      events: profile.events,
      spanNs: profile.spanNs,
      lost: profile.lost,
      forgotten: profile.forgotten,
    },
  };
}

async function verdictsOf(
  recording: Recording,
  onProgress: (done: number) => void,
): Promise<readonly InvariantVerdict[]> {
  try {
    return (await checkRecording(recording, { onProgress })).verdicts;
  } catch (error) {
    // Made with nothing but somebody's own invariants: all else can be compared.
    if (error instanceof UsageError && error.code === 'UNKNOWN_INVARIANT') return [];
    throw error;
  }
}

/** How often an invariant was broken makes no difference, but whether it was; nor what only one was checked for and kept. */
function compareVerdicts(
  a: ReadonlyMap<string, VerdictFacts>,
  b: ReadonlyMap<string, VerdictFacts>,
): VerdictDifference[] {
  return [...new Set([...a.keys(), ...b.keys()])]
    .map((invariant) => ({ invariant, a: a.get(invariant) ?? null, b: b.get(invariant) ?? null }))
    .filter((pair) => pair.a?.verdict !== pair.b?.verdict)
    .filter((pair) => isViolated(pair) || (pair.a !== null && pair.b !== null))
    .sort((one, other) => Number(isViolated(other)) - Number(isViolated(one)));
}

function isViolated({ a, b }: VerdictDifference): boolean {
  return a?.verdict === 'violated' || b?.verdict === 'violated';
}

function compareCoverage(a: readonly ProbeCoverage[], b: readonly ProbeCoverage[]): CoverageDifference[] {
  const [one, other] = [a, b].map((all) => new Map(all.map((entry) => [entry.probe, entry]))) as [
    Map<string, ProbeCoverage>,
    Map<string, ProbeCoverage>,
  ];
  return [...new Set([...one.keys(), ...other.keys()])]
    .filter((probe) => isAttached(one.get(probe)) !== isAttached(other.get(probe)))
    .map((probe) => ({
      probe,
      path: (one.get(probe) ?? other.get(probe))?.path ?? '',
      a: statusOf(one.get(probe)),
      b: statusOf(other.get(probe)),
    }));
}

const PATH_OF = new Map(LAYOUTS.map(({ kind, path }) => [kind, path]));

/** Those that it has probes or events of; null for one that says nothing of its probes. */
function pathsOf({ meta: { coverage } }: Recording, { kinds }: Profile): ReadonlySet<string> | null {
  if (coverage.length === 0) return null;
  const ofProbes = coverage.filter(isAttached).map(({ path }) => path);
  return new Set([...ofProbes, ...[...kinds.keys()].map((kind) => PATH_OF.get(kind) ?? '')]);
}

function comparePaths(a: ReadonlySet<string> | null, b: ReadonlySet<string> | null): PathDifference[] {
  if (a === null || b === null) return [];
  return [...new Set([...a, ...b])]
    .filter((path) => a.has(path) !== b.has(path))
    .map((path) => ({ path, recordedIn: a.has(path) ? 'a' : 'b' }));
}

function isAttached(entry: ProbeCoverage | undefined): boolean {
  return entry !== undefined && entry.method !== null;
}

function statusOf(entry: ProbeCoverage | undefined): string {
  if (!entry) return 'not asked for';
  return entry.method === null
    ? `${entry.status}${entry.reason === null ? '' : `: ${entry.reason}`}`
    : 'attached';
}
