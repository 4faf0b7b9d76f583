// Makes a recording of a text trace: read and accounted for line by line, sorted, and written.

import { realpathSync } from 'node:fs';
import { Checker } from '../check/checker.ts';
import { type Invariant, neededKinds } from '../check/invariant.ts';
import { INVARIANTS } from '../generated/invariants.ts';
import { LAYOUTS } from '../generated/layouts.ts';
import { VERSION } from '../generated/version.ts';
import { RecordingError, UsageError } from '../model/errors.ts';
import { CLOCK_ERROR_NS, type ProbeCoverage, type RecordingMeta } from '../model/recording.ts';
import { expectPlace } from '../recording/files.ts';
import { writeParquet } from '../recording/parquet-write.ts';
import type { InvariantCounts, Violation } from '../model/violation.ts';
import { createObjectTable } from '../report/objects.ts';
import type { LineCounts, Problem } from './account.ts';
import { escapeText } from './escape.ts';
import { openInput } from './input.ts';
import type { TraceFormat } from './line.ts';
import { readLines } from './lines.ts';
import type { Mapping, Rule } from './mapping.ts';
import { DEFAULT_MAPPING, loadMapping } from './mappings.ts';
import { importNotes } from './notes.ts';
import type { Port } from './objects.ts';
import { placeRecords } from './place.ts';
import { TraceReader } from './reader.ts';
import { Rings } from './rings.ts';
import { Spool } from './spool.ts';

export interface ImportOptions {
  /** A mapping, the name of one that ships with flightring, or the path of one. Default `xsk-markers`. */
  readonly mapping?: Mapping | string;
  /** Which tool wrote the text. Default: found out line by line. */
  readonly format?: TraceFormat | 'auto';
  /** Called now and then with the bytes read so far and all there are, 0 for a pipe. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Records sorted in memory at a time; for tests. */
  readonly runSlots?: number;
}

export interface ImportResult {
  readonly path: string;
  readonly mapping: string;
  /** Records written, gaps among them. */
  readonly events: number;
  readonly bytes: number;
  readonly counts: LineCounts;
  /** Events that the trace says were lost. */
  readonly lost: number;
  /** Lines that could not be used, by reason, most first. */
  readonly problems: readonly Problem[];
  /** Every line was used, or ignored as the mapping says, and none was lost. */
  readonly complete: boolean;
  readonly notes: readonly string[];
}

/**
 * Turns the text of ftrace, trace-cmd report, perf script or a bpftrace script into a recording.
 *
 * @param source A file, `-` for standard input, or its bytes.
 * @param out The recording to write; it appears whole or not at all.
 * @throws UsageError for a wrong mapping or input, RecordingError `NOTHING_TO_IMPORT` if no line could be used.
 * @example
 * const { counts, complete } = await importTrace('trace.txt', 'trace.parquet', { mapping: 'xsk-markers' });
 */
export async function importTrace(
  source: string | AsyncIterable<Uint8Array>,
  out: string,
  options: ImportOptions = {},
): Promise<ImportResult> {
  const { format = 'auto', onProgress = () => {} } = options;
  const mapping =
    typeof options.mapping === 'object' ? options.mapping : loadMapping(options.mapping ?? DEFAULT_MAPPING);
  const input = openInput(source);
  if (typeof source === 'string' && isSameFile(source, out))
    throw new UsageError('SAME_FILE', `${out} is the trace itself; name another file for the recording.`);
  expectPlace(out);
  const spool = new Spool(`${out}.spool`, options.runSlots);
  try {
    const reader = new TraceReader(mapping, format, spool);
    for await (const lines of readLines(input.chunks())) {
      for (const line of lines) reader.take(line);
      onProgress(input.done(), input.size);
    }
    reader.end();
    const { account } = reader;
    if (account.events + account.markers === 0) throw nothingUsable(input.name, reader);
    return write(out, mapping, reader, spool, input);
  } finally {
    spool.close();
  }
}

interface Source {
  readonly name: string;
  readonly modifiedMs: number;
}

function write(
  out: string,
  mapping: Mapping,
  reader: TraceReader,
  spool: Spool,
  input: Source,
): ImportResult {
  const rules = [...mapping.events, ...mapping.markers];
  const { objects, account } = reader;
  const resolved = objects.resolve();
  const rings = ringsOf(objects.ports, resolved, reader.hasReceives(resolved));
  const errorNs = Math.max(CLOCK_ERROR_NS, reader.unit);
  const notes = importNotes(mapping, reader, resolved, input.name);
  const invariants = concerned(rules, reader);
  const verdict: Verdict = { violations: [], counts: {} };
  const described = describe(reader, rules, resolved, input, errorNs, notes);
  const meta: RecordingMeta = {
    ...described,
    ...verdict,
    invariants: invariants.map(({ name, version = 1 }) => ({ name, version })),
  };
  const checker = new Checker(invariants, createObjectTable(meta.objects), errorNs);
  const placing = {
    spool,
    rings,
    rules,
    objects: remapping(resolved),
    firstTs: reader.firstTs,
    errorNs,
    late: reader.lateCpus(),
  };
  const batches = function* () {
    for (const batch of placeRecords(placing)) {
      yield batch;
      // Only now that it is written: checking marks what was reported twice.
      checker.check(batch);
    }
    verdict.violations.push(...checker.violations);
    Object.assign(verdict.counts, checker.counts());
    // The description is written behind the events: what is known only now can still be said in it.
    const { inferred, dropped } = rings.counts;
    if (inferred > 0)
      notes.push(`${inferred} receives are not in the trace and were made up from what the application saw`);
    if (dropped > 0)
      notes.push(`${dropped} receives found no room in RX: the next one went into the same frame`);
  };
  const { rows, bytes } = writeParquet({ meta, batches: batches() }, out);
  const { counts, problems } = account;
  return {
    path: out,
    mapping: mapping.name,
    events: rows,
    bytes,
    counts,
    lost: reader.lost,
    problems,
    complete: counts.unused === 0 && reader.lost === 0,
    notes,
  };
}

/** Filled while the events are written; the description that refers to it is written last. */
interface Verdict {
  readonly violations: Violation[];
  readonly counts: Record<string, InvariantCounts>;
}

/** The invariants that get some of the events that were made. */
function concerned(rules: readonly Rule[], reader: TraceReader): readonly Invariant[] {
  const made = new Set(
    rules.filter(({ number }) => (reader.made[number] ?? 0) > 0).map(({ kind }) => kind.kind),
  );
  return INVARIANTS.filter((invariant) => neededKinds(invariant).some((kind) => made.has(kind)));
}

function ringsOf(
  ports: readonly Port[],
  resolved: ReadonlyMap<Port, Port>,
  hasReceives: ReadonlySet<number>,
): Rings {
  const queues = new Map(ports.map((port) => [port.socket, (resolved.get(port) ?? port).queue]));
  return new Rings(queues, (socket) => hasReceives.has(socket));
}

function remapping(resolved: ReadonlyMap<Port, Port>): Uint32Array {
  const objects = new Uint32Array(1 + 2 * resolved.size);
  for (const [port, to] of resolved) {
    objects[port.queue] = to.queue;
    objects[port.socket] = to.socket;
  }
  return objects;
}

function describe(
  reader: TraceReader,
  rules: readonly Rule[],
  resolved: ReadonlyMap<Port, Port>,
  input: Source,
  errorNs: number,
  notes: readonly string[],
): RecordingMeta {
  const { facts } = reader;
  const cpus = Math.max(facts.cpus, ...[...reader.cpus.keys()].map((cpu) => cpu + 1));
  return {
    format: 1,
    flightring: VERSION,
    createdAt: new Date(input.modifiedMs).toISOString(),
    kernel: { release: facts.release || 'unknown', machine: facts.machine || 'unknown', cpus },
    clocks: {
      monotonicNs: String(BigInt(Math.floor(reader.lastTs))),
      realtimeNs: String(BigInt(Math.floor(input.modifiedMs)) * 1_000_000n),
      errorNs,
    },
    layouts: LAYOUTS,
    objects: reader.objects.entries(resolved),
    threads: reader.threads.names,
    coverage: rules.map((rule) => coverageOf(rule, reader.made[rule.number] ?? 0)),
    freeze: null,
    invariants: [],
    violations: [],
    counts: {},
    loss: { overwritten: reader.lost, recursionMisses: 0, objectsDropped: 0, windowlessViolations: 0 },
    notes,
  };
}

/**
 * What an application's marker tells besides: an RX entry that it saw was received into; and a completion that it has
 * taken is over, none is ever under way.
 */
const IMPLIED: Readonly<Record<string, readonly string[]>> = {
  xsk_rx_publish: ['xsk_rx_write'],
  xsk_comp_submit: ['xsk_comp_begin'],
};

/** A rule is a probe of its own: what it made was seen, and what it didn't was not. */
function coverageOf(rule: Rule, made: number): ProbeCoverage {
  const isMarker = rule.names.length === 0 && rule.function === null;
  const target = isMarker ? 'trace_marker' : (rule.function ?? rule.names.join(', '));
  const kinds = [rule.kind.kind, ...(isMarker ? (IMPLIED[rule.kind.kind] ?? []) : [])];
  return {
    probe: isMarker ? `marker of ${rule.kind.kind}` : (rule.names[0] ?? target),
    path: rule.kind.path,
    target,
    method: made > 0 ? (isMarker ? 'tp' : 'kprobe') : null,
    status: made > 0 ? 'attached' : 'missing',
    reason: made > 0 ? 'imported from a text trace' : 'the imported trace has no such event',
    kinds,
  };
}

function nothingUsable(name: string, { account }: TraceReader): RecordingError {
  const [first] = account.problems;
  const { lines, headers, ignored } = account.counts;
  const why =
    first === undefined
      ? lines === 0
        ? 'it is empty'
        : `of its ${lines} lines ${headers} are headers and ${ignored} are ignored by the mapping`
      : `${first.reason} (${first.lines} of ${lines} lines, the first: ${first.samples[0] ?? ''}); "flightring import --help" shows the forms`;
  return new RecordingError(
    'NOTHING_TO_IMPORT',
    `${escapeText(name)} has nothing that could be imported: ${why}.`,
  );
}

function isSameFile(a: string, b: string): boolean {
  try {
    return realpathSync(a) === realpathSync(b);
  } catch {
    return false;
  }
}
