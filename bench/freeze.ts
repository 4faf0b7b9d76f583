// From the offending event to the flipped bank: by a tripwire in the kernel, and by an invariant in TypeScript.

import { setTimeout as sleep } from 'node:timers/promises';
import { CONTROL } from '../src/generated/layouts.ts';
import { SHARE_BASE, SLOT_LANES, timeAt } from '../src/model/slot.ts';
import * as shim from '../src/source/shim.ts';
import { Driver } from './driver.ts';
import { ringStride, RING_HEADER } from './healthy.ts';
import { CONTROL_WORD, type BenchRecorder, XSK } from './recorder.ts';
import { type Flip, Recording } from './recording.ts';
import { type Benchmark, type Options, quantile, type Row } from './table.ts';

const SLOTS = 65536;
/** Slots looked at for events that other CPUs wrote after the offending one. */
const TAIL = 256;

interface Trial {
  readonly latencyNs: number;
  /** Events in the frozen bank after the offending one, on its CPU. */
  readonly later: number;
  /** How much later than the offending event the frozen bank's last event of another CPU is; 0 if none is. */
  readonly furthestNs: number;
}

function word64(control: Uint32Array, byte: number): number {
  return (control[byte / 4] as number) + (control[byte / 4 + 1] as number) * 0x1_0000_0000;
}

/** What the frozen bank shows of the time after the offending event. */
function lookAt(
  recorder: BenchRecorder,
  rings: Uint32Array,
  bank: number,
  cpu: number,
  seq: number,
  ts: number,
) {
  let furthestNs = 0;
  for (let other = 0; other < recorder.cpus; other++) {
    if (other === cpu) continue;
    const ring = (bank * recorder.cpus + other) * ringStride(SLOTS);
    const head = shim.slotsClaimed(recorder.handle, bank, other, XSK);
    for (let slot = Math.max(0, head - TAIL); slot < head; slot++) {
      const at = (ring + RING_HEADER) / 4 + (slot % SLOTS) * SLOT_LANES;
      furthestNs = Math.max(furthestNs, timeAt(rings, at) - ts);
    }
  }
  return { later: shim.slotsClaimed(recorder.handle, bank, cpu, XSK) - (seq % SHARE_BASE), furthestNs };
}

async function trials(driver: Driver, how: 'tripwire' | 'rule', rate: number, count: number) {
  const recording = await Recording.start(driver, SLOTS, 'xsk.ownership', how === 'rule');
  const { recorder } = recording;
  const { control } = recorder;
  const bytes = ringStride(SLOTS) * recorder.cpus * 2;
  const memory = shim.memoryOf(recorder.handle, shim.MEMORY.rings, bytes);
  const rings = new Uint32Array(memory.buffer, memory.byteOffset, bytes / 4);
  if (how === 'rule') control[CONTROL_WORD.tripwires] = 0;
  let flip: Flip | null = null;
  recording.onFlip = (value) => {
    flip = value;
  };
  const taken = (): Flip | null => flip;
  await driver.start('fg_generate_tc', '0,1', rate / 2);
  await sleep(500);
  const done: Trial[] = [];
  let unanswered = 0;
  for (let i = 0; i < count; i++) {
    flip = null;
    await sleep(5 + Math.random() * 10);
    await driver.offend(0, how === 'tripwire' ? 1 : 2);
    const giveUp = Date.now() + 1000;
    const answered = () => (how === 'rule' ? taken() !== null : control[CONTROL.trip_flipped_ts / 4] !== 0);
    while (!answered() && Date.now() < giveUp) await sleep(2);
    if (!answered()) {
      unanswered++;
      continue;
    }
    await sleep(2);
    const bank = (control[CONTROL_WORD.bank] as number) ^ 1;
    if (how === 'rule') {
      const { at, flippedNs } = taken() as Flip;
      done.push({ latencyNs: flippedNs - at.ts, ...lookAt(recorder, rings, bank, at.cpu, at.seq, at.ts) });
    } else {
      const cpu = control[CONTROL.trip_cpu / 4] as number;
      const seq = word64(control, CONTROL.trip_seq);
      const at =
        ((bank * recorder.cpus + cpu) * ringStride(SLOTS) + RING_HEADER) / 4 +
        (((seq % SHARE_BASE) - 1) % SLOTS) * SLOT_LANES;
      const ts = timeAt(rings, at);
      done.push({
        latencyNs: word64(control, CONTROL.trip_flipped_ts) - ts,
        ...lookAt(recorder, rings, bank, cpu, seq, ts),
      });
      control[CONTROL.trip_flipped_ts / 4] = 0;
      control[CONTROL.trip_flipped_ts / 4 + 1] = 0;
      control[CONTROL_WORD.spareFree] = 1;
      control[CONTROL_WORD.tripped] = 0;
    }
  }
  await driver.stop();
  await driver.detach();
  const books = await recording.stop();
  return { done, unanswered, books };
}

function quantiles(
  variant: string,
  unit: string,
  values: readonly number[],
  target?: Row['target'],
  note = '',
): Row {
  return {
    variant,
    unit,
    min: Math.min(...values),
    median: quantile(values, 0.5),
    max: Math.max(...values),
    compared: { to: 'p99', value: quantile(values, 0.99), unit: '=' },
    ...(target ? { target } : {}),
    note,
  };
}

export async function freeze({ quick }: Options): Promise<Benchmark> {
  const driver = new Driver();
  const rows: Row[] = [];
  const count = quick ? 30 : 200;
  for (const rate of [200_000, 1_000_000])
    for (const how of ['tripwire', 'rule'] as const) {
      const { done, unanswered, books } = await trials(driver, how, rate, count);
      const label = `${how === 'rule' ? 'TypeScript' : 'tripwire'}, ${rate / 1000} k events/s`;
      const latencies = done.map(({ latencyNs }) => latencyNs / 1000);
      const note = `${done.length} trials${unanswered ? `, ${unanswered} without an answer` : ''}, ${books.lost} events lost`;
      const atMost = (limit: number, value: number): Row['target'] => ({ kind: 'at most', limit, value });
      if (how === 'tripwire') {
        const later = done.map((trial) => trial.later);
        const furthest = done.map((trial) => trial.furthestNs);
        rows.push(quantiles(`${label}: to the flip`, 'µs', latencies, undefined, note));
        rows.push(
          quantiles(`${label}: later events on its CPU`, 'events', later, atMost(0, Math.max(...later))),
        );
        rows.push(
          quantiles(
            `${label}: latest event of the other CPU`,
            'ns',
            furthest,
            atMost(1000, Math.max(...furthest)),
          ),
        );
      } else {
        const p50 = quantile(latencies, 0.5);
        const p99 = quantile(latencies, 0.99);
        if (rate === 200_000)
          rows.push(quantiles(`${label}: to the flip, p50`, 'µs', latencies, atMost(40, p50), note));
        rows.push(
          quantiles(
            `${label}: to the flip, p99`,
            'µs',
            latencies,
            atMost(rate === 200_000 ? 500 : 2000, p99),
            note,
          ),
        );
        rows.push(
          quantiles(
            `${label}: later events on its CPU`,
            'events',
            done.map((trial) => trial.later),
          ),
        );
      }
    }
  driver.close();
  return {
    name: 'freeze',
    title: 'from the offending event to the flipped bank, both CPUs producing',
    rows,
    notes: [],
  };
}
