// The tables made from what recordings say of themselves: their columns, and the rows of one recording.

import { NO_OBJECT, type ObjectEntry } from '../model/objects.ts';
import type { RecordingMeta } from '../model/recording.ts';
import type { EventRef, Violation } from '../model/violation.ts';
import type { Source } from './sources.ts';

/** Values as JSON has them; 64-bit numbers as text. */
type Row = Readonly<Record<string, unknown>>;

export interface Table {
  readonly name: string;
  /** Types in DuckDB's words, as from_json takes them. */
  readonly columns: Readonly<Record<string, unknown>>;
  /** Columns that hold ns of the recording's clock, and the names of the same as timestamps. */
  readonly times: Readonly<Record<string, string>>;
  rows(meta: RecordingMeta, source: Source): readonly Row[];
}

const EVENT = { cpu: 'UINTEGER', seq: 'BIGINT', ts: 'BIGINT', kind: 'VARCHAR' };

export const RECORDINGS: Table = {
  name: 'recordings',
  columns: {
    file: 'VARCHAR',
    created: 'TIMESTAMP',
    kernel: 'VARCHAR',
    machine: 'VARCHAR',
    cpus: 'UINTEGER',
    flightring: 'VARCHAR',
    rows: 'UBIGINT',
    violations: 'UINTEGER',
    cause: 'VARCHAR',
    offending_ts: 'BIGINT',
    flipped_ts: 'BIGINT',
    latency_ns: 'BIGINT',
    first_ts: 'BIGINT',
    last_ts: 'BIGINT',
    overwritten: 'UBIGINT',
    overwritten_meanwhile: 'UBIGINT',
    recursion_misses: 'UBIGINT',
    objects_dropped: 'UBIGINT',
    windowless_violations: 'UBIGINT',
    wall_ns: 'BIGINT',
    kernel_ns: 'BIGINT',
    process_ns: 'BIGINT',
    clock_offset_ns: 'BIGINT',
    notes: ['VARCHAR'],
  },
  times: { offending_ts: 'offending_time', first_ts: 'first_time', last_ts: 'last_time' },
  rows: ({ kernel, freeze, loss, costs, ...meta }, source) => {
    const ends = (freeze?.window ?? []).flatMap(({ firstTs, lastTs }) =>
      firstTs === null || lastTs === null ? [] : [{ firstTs, lastTs }],
    );
    return [
      {
        file: source.file,
        created: meta.createdAt,
        kernel: kernel.release,
        machine: kernel.machine,
        cpus: kernel.cpus,
        flightring: meta.flightring,
        rows: source.rows,
        violations: meta.violations.filter(({ severity }) => severity === 'violation').length,
        cause: freeze?.cause,
        offending_ts: freeze?.offendingTs,
        flipped_ts: freeze?.flippedTs,
        latency_ns: freeze?.latencyNs,
        first_ts: ends.reduce(
          (least: number | null, { firstTs }) => Math.min(least ?? firstTs, firstTs),
          null,
        ),
        last_ts: ends.reduce((most: number | null, { lastTs }) => Math.max(most ?? lastTs, lastTs), null),
        overwritten: loss.overwritten,
        overwritten_meanwhile: freeze?.overwrittenMeanwhile,
        recursion_misses: loss.recursionMisses,
        objects_dropped: loss.objectsDropped,
        windowless_violations: loss.windowlessViolations,
        wall_ns: costs?.wallNs,
        kernel_ns: costs?.paths.reduce((sum, { ns }) => sum + ns, 0),
        process_ns: costs?.processNs,
        clock_offset_ns: source.clockOffset === null ? null : String(source.clockOffset),
        notes: meta.notes,
      },
    ];
  },
};

/** What the recordings say, besides `recordings` itself: each has the columns of where it was said in front. */
export const TABLES: readonly Table[] = [
  {
    name: 'violations',
    columns: {
      invariant: 'VARCHAR',
      severity: 'VARCHAR',
      object: 'VARCHAR',
      sentence: 'VARCHAR',
      ...EVENT,
      order_dependent: 'BOOLEAN',
      out_of_window: 'BOOLEAN',
      evidence: [EVENT],
    },
    times: { ts: 'time' },
    rows: ({ violations, outOfWindow }) =>
      violations.map((violation) => violationRow(violation, outOfWindow ?? [])),
  },
  {
    name: 'objects',
    columns: {
      object: 'UINTEGER',
      type: 'VARCHAR',
      netns: 'UBIGINT',
      ifindex: 'UINTEGER',
      device: 'VARCHAR',
      queue: 'UINTEGER',
      umem: 'UINTEGER',
      parent: 'UINTEGER',
      pid: 'UINTEGER',
      tid: 'UINTEGER',
      comm: 'VARCHAR',
      size: 'UBIGINT',
      chunk_size: 'UINTEGER',
      headroom: 'UINTEGER',
      flags: 'UINTEGER',
      ts: 'BIGINT',
    },
    times: { ts: 'time' },
    rows: ({ objects }) => objects.map(objectRow),
  },
  {
    name: 'coverage',
    columns: {
      probe: 'VARCHAR',
      path: 'VARCHAR',
      target: 'VARCHAR',
      method: 'VARCHAR',
      status: 'VARCHAR',
      reason: 'VARCHAR',
    },
    times: {},
    rows: ({ coverage }) => coverage.map((probe) => ({ ...probe })),
  },
  {
    name: 'windows',
    columns: {
      cpu: 'UINTEGER',
      path: 'VARCHAR',
      first_ts: 'BIGINT',
      last_ts: 'BIGINT',
      events: 'UBIGINT',
      overwritten: 'UBIGINT',
    },
    times: { first_ts: 'first_time', last_ts: 'last_time' },
    rows: ({ freeze }) =>
      (freeze?.window ?? []).map(({ firstTs, lastTs, ...window }) => ({
        ...window,
        first_ts: firstTs,
        last_ts: lastTs,
      })),
  },
  {
    name: 'invariants',
    columns: {
      invariant: 'VARCHAR',
      version: 'DOUBLE',
      checked: 'UBIGINT',
      fired: 'UBIGINT',
      unplaced: 'UBIGINT',
      evicted: 'UBIGINT',
      unknown: 'UBIGINT',
    },
    times: {},
    rows: ({ invariants, counts }) =>
      invariants.map(({ name, version }) => ({ invariant: name, version, ...counts[name] })),
  },
  {
    name: 'threads',
    columns: { tid: 'UINTEGER', comm: 'VARCHAR', ts: 'BIGINT' },
    times: { ts: 'time' },
    rows: ({ threads }) => threads.map((thread) => ({ ...thread })),
  },
];

function violationRow(violation: Violation, outOfWindow: readonly Violation[]): Row {
  const { at, evidence, orderDependent, ...said } = violation;
  const isIt = (other: Violation): boolean =>
    other.invariant === violation.invariant && other.at.cpu === at.cpu && other.at.seq === at.seq;
  return {
    ...said,
    ...eventRow(at),
    order_dependent: orderDependent,
    out_of_window: outOfWindow.some(isIt),
    evidence: evidence.map(eventRow),
  };
}

function eventRow({ cpu, seq, ts, kind }: EventRef): Row {
  return { cpu, seq, ts, kind };
}

function objectRow({ index, name, tgid, chunkSize, umem, parent, netns, ...entry }: ObjectEntry): Row {
  return {
    ...entry,
    object: index,
    netns: String(netns),
    device: name === '' ? null : name,
    umem: umem === NO_OBJECT ? null : umem,
    parent: parent === NO_OBJECT ? null : parent,
    pid: tgid,
    chunk_size: chunkSize,
  };
}

/** As JSON.stringify escapes them: halves of a pair that have lost the other one. DuckDB takes whole Unicode only. */
const LONE_SURROGATES = /(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g;

export function toJson(rows: readonly Row[]): string {
  return JSON.stringify(rows).replaceAll(LONE_SURROGATES, '$1\\ufffd');
}
