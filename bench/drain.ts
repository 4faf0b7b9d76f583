// How fast one thread takes events out of the rings, merges and checks them, and whether it makes garbage.

import { PerformanceObserver, performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Checker } from '../src/check/checker.ts';
import type { Invariant } from '../src/check/invariant.ts';
import { INVARIANTS } from '../src/generated/invariants.ts';
import type { Batch } from '../src/model/slot.ts';
import { SLOT_BYTES, SLOT_LANES } from '../src/model/slot.ts';
import * as shim from '../src/source/shim.ts';
import { HealthyObjects, HealthyProducer, ringStride } from './healthy.ts';
import { type Benchmark, median, type Options, type Row, spread } from './table.ts';

const CPUS = 2;
const QUEUES = 4;
/** The pretended clock starts here: all records must be older than now. */
const START_NS = 1e9;

/** Rings in plain memory, their producers, and what checks them. */
class Rig {
  readonly handle: number;
  readonly slots: number;
  readonly rings: Uint32Array;
  readonly figures: BigUint64Array;
  readonly producers: readonly HealthyProducer[];
  readonly waiter: shim.Waiter;
  readonly batch: Batch;
  readonly checker: Checker | null;

  constructor(slots: number, invariants: readonly Invariant[] | null) {
    this.handle = shim.openMemory(CPUS, [{ path: 'xsk', slots }]);
    if (this.handle < 0) throw new Error(`no rings in memory: ${this.handle}`);
    this.slots = slots;
    const lanes = (which: number, bytes: number) => {
      const memory = shim.memoryOf(this.handle, which, bytes);
      return new Uint32Array(memory.buffer, memory.byteOffset, bytes / 4);
    };
    this.rings = lanes(shim.MEMORY.rings, ringStride(slots) * CPUS * 2);
    const figures = shim.memoryOf(this.handle, shim.MEMORY.figures, 64);
    this.figures = new BigUint64Array(figures.buffer, figures.byteOffset, 8);
    this.producers = Array.from({ length: CPUS }, (_, cpu) => new HealthyProducer(cpu, START_NS));
    this.waiter = new shim.Waiter(this.handle);
    this.batch = { lanes: lanes(shim.MEMORY.batch, shim.BATCH_SLOTS * SLOT_BYTES), slots: 0 };
    this.checker = invariants ? new Checker(invariants, new HealthyObjects(QUEUES)) : null;
  }

  fill(eventsPerCpu: number): void {
    for (const [cpu, producer] of this.producers.entries())
      producer.produce(this.rings, cpu * ringStride(this.slots), this.slots, eventsPerCpu);
  }

  /** Takes everything; returns events. */
  drain(): number {
    const { batch, checker, waiter } = this;
    let events = 0;
    for (;;) {
      batch.slots = waiter.wait(0);
      if (batch.slots <= 0) return events;
      events += batch.slots;
      if (checker) checker.check(batch);
    }
  }

  close(): void {
    shim.closeRecorder(this.handle);
  }
}

/** Writes more than the rings hold, several times over, and compares the books. */
function lossError(): number {
  const rig = new Rig(4096, null);
  let read = 0;
  for (const events of [4096, 6000, 100_000, 1, 8192, 4097]) {
    rig.fill(events);
    for (;;) {
      const slots = rig.waiter.wait(0);
      if (slots <= 0) break;
      for (let at = 0; at < slots * SLOT_LANES; at += SLOT_LANES)
        if (((rig.batch.lanes[at + 6] as number) & 0xffff) !== 0) read++;
    }
  }
  const written = rig.producers.reduce((sum, producer) => sum + producer.events, 0);
  const overwritten = Number(rig.figures[0]);
  rig.close();
  if (overwritten === 0) throw new Error('nothing was overwritten: the accounting was not tried');
  return Math.abs(written - read - overwritten);
}

export async function drain({ quick }: Options): Promise<Benchmark> {
  shim.openShim();
  const xsk = INVARIANTS.filter(({ name }) => name.startsWith('xsk.'));
  const slots = quick ? 1 << 18 : 1 << 20;
  const variants: readonly { name: string; rig: Rig; limit: number | null }[] = [
    { name: 'drain and merge only', rig: new Rig(slots, null), limit: null },
    {
      name: '+ xsk.ownership',
      rig: new Rig(
        slots,
        xsk.filter(({ name }) => name === 'xsk.ownership'),
      ),
      limit: 40,
    },
    { name: `+ all ${xsk.length} xsk invariants`, rig: new Rig(slots, xsk), limit: 10 },
  ];
  const collections: number[] = [];
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) collections.push(entry.startTime);
  });
  observer.observe({ entryTypes: ['gc'] });
  const rates = variants.map((): number[] => []);
  const windows = variants.map((): [number, number][] => []);
  const rounds = quick ? 5 : 11;
  for (let round = 0; round <= rounds; round++) {
    for (const [i, { rig }] of variants.entries()) {
      rig.fill(slots);
      const start = performance.now();
      const cpu = process.cpuUsage();
      const events = rig.drain();
      const { user, system } = process.cpuUsage(cpu);
      const end = performance.now();
      if (events !== slots * CPUS) throw new Error(`${events} of ${slots * CPUS} events came out`);
      // The first round compiles, faults pages in and sizes tables.
      if (round === 0) continue;
      rates[i]?.push(events / (user + system));
      windows[i]?.push([start, end]);
    }
    await sleep(5);
  }
  observer.disconnect();
  const rows: Row[] = variants.flatMap(({ name, rig, limit }, i) => {
    const found = rig.checker?.violations ?? [];
    if (found.length > 0)
      throw new Error(`healthy events broke ${found[0]?.invariant}: ${found[0]?.sentence}`);
    const values = rates[i] ?? [];
    const gcs = collections.filter((at) => windows[i]?.some(([from, to]) => at >= from && at <= to)).length;
    const row: Row = { variant: name, unit: 'M events/s', ...spread(values) };
    const garbage: Row = {
      variant: `${name}: collections`,
      unit: 'GCs',
      min: gcs,
      median: gcs,
      max: gcs,
      ...(limit === null ? {} : { target: { kind: 'at most', limit: 0, value: gcs } }),
    };
    return [
      limit === null ? row : { ...row, target: { kind: 'at least', limit, value: median(values) } },
      garbage,
    ];
  });
  for (const { rig } of variants) rig.close();
  const error = lossError();
  rows.push({
    variant: 'written − read − overwritten',
    unit: 'events',
    min: error,
    median: error,
    max: error,
    target: { kind: 'at most', limit: 0, value: error },
  });
  return {
    name: 'drain',
    title: `drain, merge and check, one thread (${CPUS} CPUs, ${QUEUES} queues, one umem, rings of ${slots} slots, cold)`,
    rows,
    notes: ['by the CPU time of the whole process, so that other work on the machine does not count'],
  };
}
