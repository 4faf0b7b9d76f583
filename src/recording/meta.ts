// RecordingMeta as JSON: written with big integers as text, read back field by field so that nothing unchecked gets in.

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
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new RecordingError('BAD_META', 'The description inside the recording is not JSON.', { cause });
  }
  refuseNewer(value);
  const meta = readMeta(new JsonReader(value, 'meta'));
  checkLayouts(meta.layouts);
  return meta;
}

/** Newer versions may add members and kinds, which are passed over; a new format is one that this version can't take apart. */
function refuseNewer(value: unknown): void {
  if (typeof value !== 'object' || value === null || !('format' in value)) return;
  const { format } = value;
  if (typeof format !== 'number' || !(format > 1)) return;
  const maker = 'flightring' in value ? JSON.stringify(value.flightring) : 'of another version';
  throw new RecordingError(
    'NEWER_FORMAT',
    `The recording was made by flightring ${maker} in format ${format}; this one reads format 1: take a newer flightring.`,
  );
}

const OBJECT_LIMIT = 1 << 20;

const asCount = (reader: JsonReader): number => reader.count();
const asNumber = (reader: JsonReader): number => reader.number();
const asText = (reader: JsonReader): string => reader.text();

function readMeta(meta: JsonReader): RecordingMeta {
  const kernel = meta.get('kernel');
  const clocks = meta.get('clocks');
  const loss = meta.get('loss');
  return {
    format: meta.get('format').oneOf([1] as const),
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
