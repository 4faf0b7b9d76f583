// A legal AF_XDP life: rings, an application, polls and completions that interleave at random, seen as the probes see them.

import type { EventSpec } from '../batch.ts';
import { FREE_LIST, OUTER_0, SOCKET_OUTER_0 } from './setup.ts';

const QUEUES = 3;
const FRAMES = 250;
const CHUNK = 4096;
const RING = 64;
const RX_RING = 8;
const LOOK_MAX = 64;
const RX_FULL = 1;
const FILL_EMPTY = 2;

/** A generator of pseudo-random numbers that a seed decides (mulberry32). */
export function makeRandom(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

interface Entry {
  readonly addr: number;
  readonly len: number;
}

class Ring {
  readonly entries: (Entry | undefined)[] = [];
  prod = 0;
  cons = 0;
  seen = 0;
  looked = 0;
  readonly size: number;

  constructor(size: number) {
    this.size = size;
  }
  get room(): number {
    return this.size - (this.prod - this.cons);
  }
  put(entry: Entry): void {
    this.entries[this.prod++ % this.size] = entry;
  }
  at(position: number): Entry {
    return this.entries[position % this.size] as Entry;
  }
  take(): Entry | undefined {
    return this.cons < this.prod ? this.at(this.cons++) : undefined;
  }
}

interface Port {
  readonly queue: number;
  readonly socket: number;
  readonly fill: Ring;
  readonly rx: Ring;
  readonly tx: Ring;
  readonly comp: Ring;
  /** Written and not published RX entries end here. */
  written: number;
  readonly dropped: number[];
  readonly flying: Entry[];
  polled: boolean;
  /** The socket's mutex is held by a call that sends. */
  sending: boolean;
}

type Task = Generator<void, void, void>;

/** Runs `steps` micro-steps of that life; returns what the probes wrote, in order of time. */
export function simulate(seed: number, steps: number): EventSpec[] {
  const random = makeRandom(seed);
  const events: EventSpec[] = [];
  const free = Array.from({ length: FRAMES }, (_, i) => i * CHUNK);
  const ports: Port[] = Array.from({ length: QUEUES }, (_, i) => ({
    queue: OUTER_0 + i,
    socket: SOCKET_OUTER_0 + i,
    fill: new Ring(RING),
    rx: new Ring(RX_RING),
    tx: new Ring(RING),
    comp: new Ring(RING),
    written: 0,
    dropped: [],
    flying: [],
    polled: false,
    sending: false,
  }));
  const port = (): Port => ports[random(QUEUES)] as Port;
  let ts = 1_000_000_000;
  const say = (kind: string, cpu: number, fields: Record<string, number>): void => {
    ts += 600 + random(900);
    events.push({ kind, ts, cpu, ...fields });
  };

  /** New entries are reported one by one, the cursor moves last, and another CPU may look meanwhile. */
  function* look(ring: Ring, end: number, cpu: number, kind: string, object: number): Task {
    const from = ring.seen;
    const to = Math.min(end, from + LOOK_MAX);
    for (let position = from; position < to; position++) {
      const { addr, len } = ring.at(position);
      const extra = kind === 'xsk_fill_submit' || kind === 'xsk_tx_submit' ? { since: ring.looked } : {};
      const length = kind === 'xsk_rx_publish' || kind === 'xsk_tx_submit' ? { len } : {};
      say(kind, cpu, { object, position, addr, ...length, ...extra });
      if (random(4) === 0) yield;
    }
    ring.seen = to;
    if (kind !== 'xsk_rx_publish') ring.looked = ts;
  }
  const lookFill = (p: Port, cpu: number) => look(p.fill, p.fill.prod, cpu, 'xsk_fill_submit', p.queue);
  const lookTx = (p: Port, cpu: number) => look(p.tx, p.tx.prod, cpu, 'xsk_tx_submit', p.socket);
  const lookComp = (p: Port, cpu: number) => look(p.comp, p.comp.prod, cpu, 'xsk_comp_submit', p.queue);

  function* receive(p: Port, cpu: number): Task {
    const len = 60 + random(1400);
    yield* lookFill(p, cpu);
    say('xsk_redirect', cpu, { object: p.socket, len });
    yield* lookFill(p, cpu);
    const again = p.dropped.pop();
    const addr = again ?? p.fill.take()?.addr;
    if (addr === undefined) {
      say('xsk_drop', cpu, { object: p.queue, reason: FILL_EMPTY, count: 1 });
      return;
    }
    const flags = again === undefined ? 0 : FREE_LIST;
    say('xsk_fill_take', cpu, { object: p.queue, position: p.fill.cons - 1, addr: addr & -CHUNK, flags });
    yield;
    say('xsk_rx_reserve', cpu, { object: p.socket, position: p.written, len });
    if (p.written - p.rx.cons >= p.rx.size) {
      p.dropped.push(addr & -CHUNK);
      say('xsk_drop', cpu, { object: p.queue, reason: RX_FULL, count: 1, len });
      return;
    }
    const entry = { addr: (addr & -CHUNK) + 256, len };
    p.rx.entries[p.written % p.rx.size] = entry;
    say('xsk_rx_write', cpu, { object: p.socket, position: p.written++, ...entry });
  }

  function* poll(p: Port, cpu: number): Task {
    say('xsk_napi_begin', cpu, { object: p.queue });
    for (let n = random(6); n >= 0; n--) {
      yield* receive(p, cpu);
      yield;
    }
    p.rx.prod = p.written;
    // The application may be at work between the flush and its report.
    yield;
    yield* look(p.rx, p.rx.prod, cpu, 'xsk_rx_publish', p.socket);
    say('xsk_flush', cpu, { object: p.queue });
    const completed = random(2) === 1;
    if (completed) {
      p.polled = false;
      if (random(2)) yield;
      say('xsk_napi_complete', cpu, { object: p.queue, completed: 1 });
      if (random(2)) yield;
    }
    say('xsk_napi_end', cpu, { object: p.queue });
    if (!completed) p.polled = false;
  }

  function* send(p: Port, cpu: number): Task {
    yield* lookComp(p, cpu);
    yield* lookFill(p, cpu);
    yield* lookTx(p, cpu);
    for (let n = 0; n < 8; n++) {
      if (p.tx.cons >= p.tx.seen || p.comp.room - p.flying.length < 1) break;
      const entry = p.tx.take() as Entry;
      p.flying.push(entry);
      say('xsk_tx_take', cpu, { object: p.queue, addr: entry.addr });
      yield;
    }
    p.sending = false;
  }

  function* complete(p: Port, cpu: number): Task {
    const entry = p.flying.shift();
    if (!entry) return;
    say('xsk_comp_begin', cpu, { object: p.queue, count: 1 });
    p.comp.put(entry);
    yield;
    yield* lookComp(p, cpu);
  }

  const act = (p: Port, other: Port): void => {
    // Slow enough that its RX ring fills up now and then.
    const received = random(3) ? undefined : p.rx.take();
    const back = p.comp.take();
    if (back) free.push(back.addr & -CHUNK);
    if (received) {
      if (other.tx.room > 40 && random(2)) other.tx.put(received);
      else free.push(received.addr & -CHUNK);
    }
    for (let n = random(8); n > 0 && free.length && p.fill.room > 0; n--) {
      const [addr] = free.splice(random(free.length), 1) as [number];
      p.fill.put({ addr: addr + random(2) * 64, len: 0 });
    }
  };

  const cpus: (Task | null)[] = [null, null, null, null];
  for (let step = 0; step < steps; step++) {
    act(port(), port());
    const cpu = random(cpus.length);
    const task = cpus[cpu];
    if (task) {
      if (task.next().done) cpus[cpu] = null;
      continue;
    }
    const p = port();
    const what = random(4);
    if (what < 2) {
      if (p.polled) continue;
      p.polled = true;
      cpus[cpu] = poll(p, cpu);
    } else if (what === 2) {
      if (p.sending) continue;
      p.sending = true;
      cpus[cpu] = send(p, cpu);
    } else cpus[cpu] = complete(p, cpu);
  }
  return events;
}
