// Writes a recording of as many events as wanted: healthy AF_XDP traffic on two CPUs, in which one frame is put into FILL twice.

import { HealthyObjects, HealthyProducer, RING_HEADER, ringStride } from '../bench/healthy.ts';
import { Checker } from '../src/check/checker.ts';
import { INVARIANTS } from '../src/generated/invariants.ts';
import { KIND, LANE, LAYOUTS } from '../src/generated/layouts.ts';
import { PROBE_PATHS } from '../src/generated/probes.ts';
import type { ObjectEntry } from '../src/model/objects.ts';
import type { RecordingMeta } from '../src/model/recording.ts';
import { type Batch, HEAD, SLOT_LANES } from '../src/model/slot.ts';
import { type ParquetResult, writeParquet } from '../src/recording/parquet-write.ts';

const CPUS = 2;
const RING_SLOTS = 32_768;
const START_NS = 1_000_000_000;
const QUEUES = 2 * CPUS;

export interface LargeRecordingOptions {
  /** Where of all events the fault lies, 0 to 1; null for healthy traffic. Default 0.6. */
  readonly faultAt?: number | null;
}

/** Events in order of time, a quarter of a minute of traffic per hundred million; about 14 bytes each on disk. */
export function* largeTraffic(
  events: number,
  { faultAt = 0.6 }: LargeRecordingOptions = {},
): Generator<Batch, void, undefined> {
  const stride = ringStride(RING_SLOTS);
  const rings = new Uint32Array((CPUS * stride) / 4);
  const cpus = Array.from({ length: CPUS }, (_, cpu) => ({
    producer: new HealthyProducer(cpu, START_NS),
    first: (cpu * stride + RING_HEADER) / 4,
    ring: cpu * stride,
    at: RING_SLOTS,
  }));
  const faultAfter = faultAt === null ? Number.POSITIVE_INFINITY : Math.floor(events * faultAt);
  let faulty = false;
  let lastFill: number | null = null;
  for (let done = 0; done < events; ) {
    const slots = Math.min(RING_SLOTS, events - done);
    const lanes = new Uint32Array(slots * SLOT_LANES);
    for (let slot = 0; slot < slots; slot++, done++) {
      let next = -1;
      let earliest = Number.POSITIVE_INFINITY;
      for (const [cpu, one] of cpus.entries()) {
        if (one.at === RING_SLOTS) {
          one.producer.produce(rings, one.ring, RING_SLOTS, RING_SLOTS);
          one.at = 0;
        }
        const head = one.first + one.at * SLOT_LANES;
        const ts =
          (rings[head + HEAD.tsHigh] as number) * 0x1_0000_0000 + (rings[head + HEAD.tsLow] as number);
        if (ts < earliest) [next, earliest] = [cpu, ts];
      }
      const one = cpus[next] as (typeof cpus)[number];
      const from = one.first + one.at++ * SLOT_LANES;
      const to = slot * SLOT_LANES;
      lanes.set(rings.subarray(from, from + SLOT_LANES), to);
      if (faulty || next !== 0 || lanes[to + HEAD.kindFlags] !== KIND.xsk_fill_submit) continue;
      if (lanes[to + LANE.xsk_fill_submit.object] !== 1) continue;
      if (done >= faultAfter && lastFill !== null) {
        lanes[to + LANE.xsk_fill_submit.addr] = lastFill;
        faulty = true;
      }
      lastFill = lanes[to + LANE.xsk_fill_submit.addr] as number;
    }
    yield { lanes, slots };
  }
}

/** Writes `events` events to `path`, with the verdict as it would have been live. */
export function writeLargeRecording(
  path: string,
  events: number,
  options: LargeRecordingOptions = {},
): ParquetResult {
  const objects = new HealthyObjects(QUEUES);
  const checked = INVARIANTS.filter(({ name }) => name.startsWith('xsk.'));
  const checker = new Checker(checked, objects);
  let lastTs = START_NS;
  for (const batch of largeTraffic(events, options)) {
    checker.check(batch);
    const at = (batch.slots - 1) * SLOT_LANES;
    lastTs =
      (batch.lanes[at + HEAD.tsHigh] as number) * 0x1_0000_0000 + (batch.lanes[at + HEAD.tsLow] as number);
  }
  const { violations } = checker;
  const offendingTs = violations[0]?.at.ts ?? null;
  const meta: RecordingMeta = {
    format: 1,
    flightring: '0.1.0',
    createdAt: '2026-01-02T03:04:05.678Z',
    kernel: { release: '6.1.0-test', machine: 'x86_64', cpus: CPUS },
    clocks: { monotonicNs: String(START_NS), realtimeNs: '1767323045678000000', errorNs: 120 },
    layouts: LAYOUTS,
    objects: Array.from({ length: objects.length }, (_, index) => objects.get(index) as ObjectEntry),
    threads: Array.from({ length: CPUS }, (_, cpu) => ({ tid: 100 + cpu, ts: 0, comm: `forwarder/${cpu}` })),
    coverage: PROBE_PATHS.filter(({ path }) => path === 'xsk').flatMap(({ path, probes }) =>
      probes.map(({ name, target }) => ({
        probe: name,
        path,
        target: String(target),
        method: 'fentry' as const,
        status: 'attached' as const,
        reason: null,
      })),
    ),
    freeze: {
      cause: offendingTs === null ? 'exit' : 'violation',
      offendingTs,
      flippedTs: lastTs + 1000,
      latencyNs: offendingTs === null ? null : lastTs + 1000 - offendingTs,
      overwrittenMeanwhile: 0,
      requested: { lastEvents: events, beforeNs: null, afterNs: 0 },
      window: Array.from({ length: CPUS }, (_, cpu) => ({
        cpu,
        path: 'xsk',
        firstTs: START_NS,
        lastTs,
        events: Math.floor(events / CPUS),
        overwritten: 0,
      })),
    },
    invariants: checked.map(({ name, version = 1 }) => ({ name, version })),
    violations,
    counts: checker.counts(),
    loss: { overwritten: 0, recursionMisses: 0, objectsDropped: 0, windowlessViolations: 0 },
    notes: ['Made of generated traffic: no kernel has seen these events.'],
  };
  return writeParquet({ meta, batches: largeTraffic(events, options) }, path);
}
