// What writing one event costs, without the noise of a real event: BPF_PROG_TEST_RUN.

import { Driver } from './driver.ts';
import { openBench } from './recorder.ts';
import { type Benchmark, difference, type Options, paired, ratio, type Row, spread } from './table.ts';

interface Variant {
  readonly name: string;
  readonly program: string;
  readonly bank: number;
  /** With no filter; with one; or before the running task is known by sched_switch. */
  readonly object: 'plain' | 'filtered' | 'helper';
}

const VARIANTS: readonly Variant[] = [
  { name: 'empty program', program: 'fb_empty', bank: 0, object: 'plain' },
  { name: 'clock only', program: 'fb_clock', bank: 0, object: 'plain' },
  { name: 'one event', program: 'fb_record', bank: 0, object: 'plain' },
  { name: 'one event, sched_switch not attached', program: 'fb_record', bank: 0, object: 'helper' },
  { name: 'one event, BPF ringbuf', program: 'fb_ringbuf', bank: 0, object: 'plain' },
  { name: 'frozen', program: 'fb_record', bank: 2, object: 'plain' },
  { name: 'filtered out by --dev', program: 'fb_by_dev', bank: 0, object: 'filtered' },
  { name: 'filtered out by --pid', program: 'fb_by_pid', bank: 0, object: 'filtered' },
  { name: 'filtered out by object', program: 'fb_by_object', bank: 0, object: 'filtered' },
  { name: 'context switch', program: 'fb_switch', bank: 0, object: 'plain' },
];

/** Loads of one object, since filters are constants; the driver finds programs by name, so one has them at a time. */
async function measure(
  driver: Driver,
  types: readonly string[],
  rounds: number,
  repeat: number,
): Promise<Map<string, number[]>> {
  const results = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++) {
    for (const object of ['helper', 'plain', 'filtered'] as const) {
      const recorder = openBench(
        'emit',
        65536,
        object === 'filtered' ? { fr_only_ifindex: 9, fr_only_tgid: 1 } : {},
      );
      if (object !== 'helper') await driver.attach('fb_switched', 'sched_switch');
      for (const type of types)
        for (const variant of VARIANTS) {
          // What a variant is held against is measured beside it, in the same load.
          const peer = object === 'filtered' && variant.program === 'fb_empty';
          if (variant.object !== object && !peer) continue;
          recorder.setBank(variant.bank);
          if (variant.program === 'fb_ringbuf') await driver.empty('bench_ringbuf');
          const ns = await driver.run(`${variant.program}_${type}`, repeat);
          const key = peer ? `${type} empty beside filtered` : `${type} ${variant.name}`;
          results.set(key, [...(results.get(key) ?? []), ns]);
        }
      await driver.detach();
      recorder.close();
    }
  }
  return results;
}

export async function emit({ quick }: Options): Promise<Benchmark> {
  const driver = new Driver();
  await driver.pin(1);
  const types = ['tc', 'xdp'];
  const results = await measure(driver, types, quick ? 3 : 11, quick ? 300_000 : 1_000_000);
  driver.close();
  const rows: Row[] = [];
  for (const type of types) {
    const of = (name: string) => results.get(`${type} ${name}`) ?? [];
    const empty = of('empty program');
    for (const variant of VARIANTS) {
      const values = of(variant.name);
      const base = { variant: `${type}: ${variant.name}`, unit: 'ns', ...spread(values) };
      const over = variant.object === 'filtered' ? of('empty beside filtered') : empty;
      const added = paired(values, over, difference);
      if (variant.name === 'one event') {
        const value = paired(values, of('clock only'), ratio);
        rows.push({
          ...base,
          compared: { to: 'clock only', value, unit: '×' },
          target: { kind: 'at most', limit: 1.1, value },
          note: `${added.toFixed(1)} ns over empty; ${(added / paired(of('one event, BPF ringbuf'), empty, difference)).toFixed(2)} × ringbuf's`,
        });
      } else if (variant.name === 'frozen' || variant.object === 'filtered') {
        rows.push({
          ...base,
          compared: { to: 'empty', value: added, unit: 'ns over' },
          target: { kind: 'at most', limit: 2, value: added },
        });
      } else if (variant.name === 'empty program') rows.push(base);
      else rows.push({ ...base, compared: { to: 'empty', value: added, unit: 'ns over' } });
    }
  }
  return { name: 'emit', title: 'writing one event (BPF_PROG_TEST_RUN)', rows, notes: [] };
}
