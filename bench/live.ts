// What one event costs at a real tracepoint, by itself and beside the tools people use: getppid in a loop.

import { setTimeout as sleep } from 'node:timers/promises';
import { Driver } from './driver.ts';
import { bpftrace, ftrace, type Peer, perf, untilNoticed } from './peers.ts';
import { openBench } from './recorder.ts';
import {
  type Benchmark,
  difference,
  median,
  type Options,
  paired,
  type Row,
  spread,
  type Target,
} from './table.ts';

const ONE = '1';
const BOTH = '0,1';
type Costs = Map<string, number[]>;

function note(costs: Costs, key: string, value: number): void {
  costs.set(key, [...(costs.get(key) ?? []), value]);
}

/** Time per call, ns: the mean over the CPUs that were busy. */
async function cost(
  driver: Driver,
  cpus: string,
  calls: number,
  of: 'bestNs' | 'elapsedNs' = 'bestNs',
): Promise<number> {
  const jobs = await driver.loop(cpus, calls);
  return jobs.reduce((sum, job) => sum + job[of] / job.count, 0) / jobs.length;
}

/** Bursts that a tool's buffers can take, with time to empty them: losing an event is cheaper than keeping it. */
async function costInBursts(driver: Driver, cpus: string): Promise<number> {
  const costs: number[] = [];
  for (let i = 0; i < 30; i++) {
    costs.push(await cost(driver, cpus, 500));
    await sleep(10);
  }
  return median(costs);
}

async function round(
  driver: Driver,
  costs: Costs,
  lost: Map<string, number>,
  peers: readonly Peer[],
  calls: number,
): Promise<void> {
  const both = async (name: string, count: number) => {
    for (const cpus of [ONE, BOTH]) note(costs, `${cpus} ${name}`, await cost(driver, cpus, count));
  };
  await both('untraced', calls);
  const recorder = openBench('emit', 65536);
  recorder.setBank(0);
  for (const [name, program] of [
    ['empty program', 'fb_empty_raw'],
    ['flightring', 'fb_record_raw'],
    ['BPF ringbuf', 'fb_ringbuf_raw'],
    ['BPF ringbuf, ids by sched_switch', 'fb_rbids_raw'],
  ] as const) {
    if (program !== 'fb_empty_raw') await driver.attach('fb_switched', 'sched_switch');
    await driver.attach(program, 'sys_enter');
    await driver.empty('bench_ringbuf');
    await both(name, calls);
    await driver.detach();
  }
  recorder.close();
  for (const peer of peers) {
    await peer.start();
    if (peer.name.startsWith('ftrace')) await both(peer.name, calls);
    else {
      const before = median(costs.get(`${ONE} untraced`) ?? []);
      if (await untilNoticed(() => cost(driver, ONE, 1000), before))
        for (const cpus of [ONE, BOTH]) {
          note(costs, `${cpus} ${peer.name}, in bursts`, await costInBursts(driver, cpus));
          note(costs, `${cpus} ${peer.name}, sustained`, await cost(driver, cpus, calls / 2, 'elapsedNs'));
        }
    }
    const result = await peer.stop();
    if (result) lost.set(peer.name, (lost.get(peer.name) ?? 0) + result.lost);
  }
}

function rowsOf({ name }: Peer): string[] {
  return name.startsWith('ftrace') ? [name] : [`${name}, in bursts`, `${name}, sustained`];
}

export async function live({ quick }: Options): Promise<Benchmark> {
  const driver = new Driver();
  const all = [ftrace(), perf(), bpftrace()];
  const peers = all.filter((peer) => peer.available());
  const costs: Costs = new Map();
  const lost = new Map<string, number>();
  const rounds = quick ? 3 : 9;
  for (let i = 0; i < rounds; i++) await round(driver, costs, lost, peers, 500_000);
  driver.close();

  const rows: Row[] = [];
  const atMost = (limit: number, value: number): Target => ({ kind: 'at most', limit, value });
  for (const [cpus, label] of [
    [ONE, '1 CPU'],
    [BOTH, '2 CPUs'],
  ] as const) {
    const of = (name: string) => costs.get(`${cpus} ${name}`) ?? [];
    const untraced = of('untraced');
    const ours = paired(of('flightring'), untraced, difference);
    const increment = (name: string) => paired(of(name), of('empty program'), difference);
    for (const name of [
      'untraced',
      'empty program',
      'flightring',
      'BPF ringbuf',
      'BPF ringbuf, ids by sched_switch',
      ...peers.flatMap(rowsOf),
    ]) {
      const values = of(name);
      const base = { variant: `${label}: ${name}`, unit: 'ns/call', ...spread(values) };
      const whole = paired(values, untraced, difference);
      const compared = { to: 'untraced', value: whole, unit: 'ns over' };
      if (name === 'untraced') rows.push(base);
      else if (name === 'BPF ringbuf' && cpus === BOTH)
        rows.push({
          ...base,
          compared: {
            to: "flightring's increment over empty ÷ this one's",
            value: increment('flightring') / increment(name),
            unit: '=',
          },
          target: atMost(0.5, increment('flightring') / increment(name)),
        });
      else if (name.startsWith('ftrace'))
        rows.push({
          ...base,
          compared: { to: "flightring's cost over untraced ÷ this one's", value: ours / whole, unit: '=' },
          target: atMost(0.6, ours / whole),
        });
      else if (name.startsWith('bpftrace') && name.endsWith('sustained'))
        rows.push({
          ...base,
          compared: { to: "this one's cost over untraced ÷ flightring's", value: whole / ours, unit: '=' },
          target: { kind: 'at least', limit: 35, value: whole / ours },
        });
      else rows.push({ ...base, compared });
    }
  }
  const scaling = (costs.get(`${ONE} flightring`) ?? []).map(
    (one, i) => (2 * one) / (costs.get(`${BOTH} flightring`)?.[i] ?? Number.NaN),
  );
  rows.push({
    variant: 'flightring: both CPUs together ÷ one',
    unit: '×',
    ...spread(scaling),
    target: { kind: 'at least', limit: 1.9, value: median(scaling) },
  });
  return {
    name: 'live',
    title: 'one event at raw_syscalls:sys_enter (time per getppid)',
    rows,
    notes: [
      'in bursts: 500 calls, then a pause, so that the tool loses nothing; sustained: 250,000 calls on end by the wall clock, its reader on the same CPUs',
      ...[...lost].map(([name, events]) => `${name} lost ${events} events in all`),
      ...all
        .filter((peer) => !peers.includes(peer))
        .map((peer) => `${peer.name}: not installed here, left out`),
    ],
  };
}
