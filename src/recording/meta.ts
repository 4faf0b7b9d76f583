// RecordingMeta as JSON: written with big integers as text, read back field by field so that nothing unchecked gets in.

import { VERSION } from '../generated/version.ts';
import { RecordingError } from '../model/errors.ts';
import { FIELD_TYPES, type FieldLayout, type RecordLayout } from '../model/layout.ts';
import type { ObjectEntry } from '../model/objects.ts';
import type {
  CpuWindow,
  FreezeFacts,
  ProbeCost,
  ProbeCoverage,
  RecordingCosts,
  RecordingMeta,
  ShrunkFacts,
  ThreadName,
} from '../model/recording.ts';
import type { EventRef, InvariantCounts, Violation } from '../model/violation.ts';
import { checkLayouts } from './columns.ts';
import { JsonReader } from './json-reader.ts';

export function serialiseMeta(meta: RecordingMeta): string {
  return JSON.stringify(meta, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}

/** Throws a RecordingError that names the member at fault. */
export function parseMeta(json: string): RecordingMeta {
  const { meta, newer } = readDescription(json);
  if (newer !== null && newer.format > FORMAT) throw tooNew(newer, 'its format has a higher number');
  return meta;
}

/** That a recording was made by a newer version, and what of it this one can't read. */
export interface Newer {
  readonly flightring: string;
  readonly format: number;
  /** Members, entries, kinds, fields and columns by name. */
  readonly leftOut: readonly string[];
  /** Kinds of this version whose events aren't, or not wholly, read: what needs them can't be judged. */
  readonly partial: readonly string[];
}

/** The format that this version writes. */
const FORMAT = 1;

/** The description, and of a newer version's as much as is known here. */
export function readDescription(json: string): { meta: RecordingMeta; newer: Newer | null } {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new RecordingError('BAD_META', 'The description inside the recording is not JSON.', { cause });
  }
  const strict = new JsonReader(value, 'meta');
  const format = strict.get('format').number(FORMAT);
  const flightring = strict.get('flightring').text();
  if (format <= FORMAT && !isNewer(flightring, VERSION)) {
    const meta = readMeta(strict);
    checkLayouts(meta.layouts);
    return { meta, newer: null };
  }
  const leftOut: string[] = [];
  const newer: Newer = { flightring, format, leftOut, partial: [] };
  try {
    const lenient = new JsonReader(value, 'meta', leftOut);
    const meta = readMeta(lenient);
    leftOut.push(...lenient.others(MEMBERS).map((name) => `meta.${name}`));
    const layouts = meta.layouts.filter((layout) => isUsable(layout, leftOut));
    checkLayouts(layouts);
    return { meta: { ...meta, layouts }, newer };
  } catch (cause) {
    if (cause instanceof RecordingError) throw tooNew(newer, cause.message, cause);
    throw cause;
  }
}

function tooNew({ flightring, format }: Newer, why: string, cause?: RecordingError): RecordingError {
  return new RecordingError(
    'TOO_NEW',
    `The recording was made by flightring ${flightring} (format ${format}), which is newer than this one (${VERSION}, format ${FORMAT}) and can't be read by it: ${why.replace(/\.$/, '')}.`,
    { cause },
  );
}

/** Compares versions by their numbers; what has no numbers is not newer. */
function isNewer(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split('.').map((part) => Number.parseInt(part, 10) || 0));
  for (let i = 0; i < 3; i++) {
    const difference = (a?.[i] ?? 0) - (b?.[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

function isUsable(layout: RecordLayout, leftOut: string[]): boolean {
  try {
    checkLayouts([layout]);
    return true;
  } catch (error) {
    if (!(error instanceof RecordingError)) throw error;
    leftOut.push(`kind ${layout.kind}`);
    return false;
  }
}

const MEMBERS = [
  'format',
  'flightring',
  'createdAt',
  'kernel',
  'clocks',
  'layouts',
  'objects',
  'threads',
  'coverage',
  'freeze',
  'invariants',
  'violations',
  'outOfWindow',
  'counts',
  'loss',
  'snapshot',
  'costs',
  'shrunk',
  'notes',
];

const OBJECT_LIMIT = 1 << 20;

const asCount = (reader: JsonReader): number => reader.count();
const asNumber = (reader: JsonReader): number => reader.number();
const asText = (reader: JsonReader): string => reader.text();

function readMeta(meta: JsonReader): RecordingMeta {
  const kernel = meta.get('kernel');
  const clocks = meta.get('clocks');
  const loss = meta.get('loss');
  return {
    format: FORMAT,
    flightring: meta.get('flightring').text(),
    createdAt: meta.get('createdAt').text(),
    kernel: {
      release: kernel.get('release').text(),
      machine: kernel.get('machine').text(),
      cpus: kernel.get('cpus').count(),
    },
    clocks: {
      monotonicNs: String(clocks.get('monotonicNs').big()),
      realtimeNs: String(clocks.get('realtimeNs').big()),
      errorNs: clocks.get('errorNs').number(),
    },
    layouts: meta.get('layouts').list(readLayout),
    objects: meta.get('objects').list(readObject),
    threads: meta.get('threads').list(readThread),
    coverage: meta.get('coverage').list(readCoverage),
    freeze: meta.get('freeze').orNull(readFreeze),
    invariants: meta.get('invariants').list((entry) => ({
      name: entry.get('name').text(),
      version: entry.get('version').number(),
    })),
    violations: meta.get('violations').list(readViolation),
    ...(meta.has('outOfWindow') ? { outOfWindow: meta.get('outOfWindow').list(readViolation) } : {}),
    counts: meta.get('counts').record(readCounts),
    loss: {
      overwritten: loss.get('overwritten').count(),
      recursionMisses: loss.get('recursionMisses').count(),
      objectsDropped: loss.get('objectsDropped').count(),
      windowlessViolations: loss.get('windowlessViolations').count(),
    },
    ...(meta.has('snapshot') ? { snapshot: { records: meta.get('snapshot').get('records').count() } } : {}),
    ...(meta.has('costs') ? { costs: readCosts(meta.get('costs')) } : {}),
    ...(meta.has('shrunk') ? { shrunk: readShrunk(meta.get('shrunk')) } : {}),
    notes: meta.get('notes').list(asText),
  };
}

function readShrunk(shrunk: JsonReader): ShrunkFacts {
  return {
    from: shrunk.get('from').text(),
    eventsRemoved: shrunk.get('eventsRemoved').count(),
    objectsRemoved: shrunk.get('objectsRemoved').count(),
  };
}

function readLayout(layout: JsonReader): RecordLayout {
  return {
    kind: layout.get('kind').text(),
    number: layout.get('number').count(),
    path: layout.get('path').text(),
    size: layout.get('size').count(4096),
    slots: layout.get('slots').count(16),
    fields: layout.get('fields').list(readField),
  };
}

function readField(field: JsonReader): FieldLayout {
  return {
    name: field.get('name').text(),
    type: field.get('type').oneOf(FIELD_TYPES),
    offset: field.get('offset').count(4096),
    size: field.get('size').count(4096),
  };
}

function readObject(object: JsonReader): ObjectEntry {
  return {
    index: object.get('index').count(OBJECT_LIMIT),
    type: object.get('type').oneOf(['umem', 'queue', 'socket'] as const),
    ts: object.get('ts').number(),
    netns: object.get('netns').big(),
    ifindex: object.get('ifindex').u32(),
    queue: object.get('queue').u32(),
    umem: object.get('umem').u32(),
    parent: object.get('parent').u32(),
    tgid: object.get('tgid').u32(),
    tid: object.get('tid').u32(),
    comm: object.get('comm').text(),
    name: object.get('name').text(),
    size: object.get('size').count(),
    chunkSize: object.get('chunkSize').u32(),
    headroom: object.get('headroom').u32(),
    flags: object.get('flags').u32(),
  };
}

function readThread(thread: JsonReader): ThreadName {
  return { tid: thread.get('tid').u32(), ts: thread.get('ts').number(), comm: thread.get('comm').text() };
}

function readCoverage(coverage: JsonReader): ProbeCoverage {
  return {
    probe: coverage.get('probe').text(),
    path: coverage.get('path').text(),
    target: coverage.get('target').text(),
    method: coverage
      .get('method')
      .oneOf(['fentry', 'fexit', 'kprobe', 'kretprobe', 'raw_tp', 'tp', 'uprobe', null] as const),
    status: coverage.get('status').oneOf(['attached', 'missing', 'inlined', 'refused'] as const),
    reason: coverage.get('reason').orNull(asText),
    ...(coverage.has('kinds') ? { kinds: coverage.get('kinds').list(asText) } : {}),
  };
}

function readFreeze(freeze: JsonReader): FreezeFacts {
  const requested = freeze.get('requested');
  return {
    cause: freeze.get('cause').oneOf(['violation', 'tripwire', 'signal', 'exit', 'library'] as const),
    offendingTs: freeze.get('offendingTs').orNull(asNumber),
    flippedTs: freeze.get('flippedTs').number(),
    latencyNs: freeze.get('latencyNs').orNull(asNumber),
    overwrittenMeanwhile: freeze.get('overwrittenMeanwhile').count(),
    requested: {
      lastEvents: requested.get('lastEvents').orNull(asCount),
      beforeNs: requested.get('beforeNs').orNull(asNumber),
      afterNs: requested.get('afterNs').number(),
    },
    window: freeze.get('window').list(readWindow),
  };
}

function readWindow(window: JsonReader): CpuWindow {
  return {
    cpu: window.get('cpu').count(),
    ...(window.has('path') ? { path: window.get('path').text() } : {}),
    firstTs: window.get('firstTs').orNull(asNumber),
    lastTs: window.get('lastTs').orNull(asNumber),
    events: window.get('events').count(),
    overwritten: window.get('overwritten').count(),
  };
}

function readCosts(costs: JsonReader): RecordingCosts {
  return {
    wallNs: costs.get('wallNs').count(),
    sampledNs: costs.get('sampledNs').count(),
    paths: costs.get('paths').list((cost) => ({
      path: cost.get('path').text(),
      runs: cost.get('runs').count(),
      ns: cost.get('ns').count(),
    })),
    ...(costs.has('probes') ? { probes: costs.get('probes').list(readProbeCost) } : {}),
    processNs: costs.get('processNs').count(),
  };
}

function readProbeCost(cost: JsonReader): ProbeCost {
  return { probe: cost.get('probe').text(), runs: cost.get('runs').count(), ns: cost.get('ns').count() };
}

function readViolation(violation: JsonReader): Violation {
  return {
    invariant: violation.get('invariant').text(),
    severity: violation.get('severity').oneOf(['violation', 'warning'] as const),
    orderDependent: violation.get('orderDependent').bool(),
    object: violation.get('object').text(),
    sentence: violation.get('sentence').text(),
    at: readEvent(violation.get('at')),
    evidence: violation.get('evidence').list(readEvent),
  };
}

function readEvent(event: JsonReader): EventRef {
  return {
    cpu: event.get('cpu').count(),
    seq: event.get('seq').number(),
    ts: event.get('ts').number(),
    kind: event.get('kind').text(),
  };
}

function readCounts(counts: JsonReader): InvariantCounts {
  return {
    checked: counts.get('checked').count(),
    fired: counts.get('fired').count(),
    unplaced: counts.get('unplaced').count(),
    evicted: counts.get('evicted').count(),
    unknown: counts.get('unknown').count(),
  };
}
