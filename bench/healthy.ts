// Healthy AF_XDP traffic written straight into rings of plain memory, the same way round as bench/generate.bpf.c.

import { KIND } from '../src/generated/layouts.ts';
import { NO_OBJECT, type ObjectEntry, type ObjectTable } from '../src/model/objects.ts';
import { SLOT_BYTES, SLOT_LANES } from '../src/model/slot.ts';

export const RING_HEADER = 4096;
/** Frames that one queue turns over, and how many of them wait in FILL. */
const FRAMES = 1024;
const WAITING = 512;
const CHUNK = 2048;
const UMEM_FRAMES = 64 * FRAMES;

const F = { socket: 1, position: 2, addr: 4, len: 8, count: 16, since: 32, wake: 64, ahead: 128 } as const;

/** A packet's way round, sixteen events. */
const STEPS: readonly (readonly [kind: number, has: number])[] = [
  [KIND.xsk_napi_schedule, 0],
  [KIND.xsk_napi_begin, 0],
  [KIND.xsk_fill_submit, F.ahead | F.position | F.addr | F.since],
  [KIND.xsk_fill_take, F.position | F.addr],
  [KIND.xsk_redirect, F.socket | F.len],
  [KIND.xsk_rx_reserve, F.socket | F.position | F.len],
  [KIND.xsk_rx_write, F.socket | F.position | F.addr | F.len],
  [KIND.xsk_rx_publish, F.socket | F.position | F.addr | F.len],
  [KIND.xsk_flush, 0],
  [KIND.xsk_napi_complete, F.wake | F.count],
  [KIND.xsk_napi_end, F.wake],
  [KIND.xsk_rx_consume, F.socket | F.position | F.count | F.since],
  [KIND.xsk_tx_submit, F.socket | F.position | F.addr | F.len | F.since],
  [KIND.xsk_wakeup, F.socket | F.wake],
  [KIND.xsk_tx_take, F.addr],
  [KIND.xsk_comp_submit, F.position | F.addr],
];

/** Object 0 is the umem; queue and socket of queue number q are 1 + 2q and 2 + 2q. */
export class HealthyObjects implements ObjectTable {
  readonly length: number;
  constructor(queues: number) {
    this.length = 1 + 2 * queues;
  }
  get(index: number): ObjectEntry | undefined {
    if (index >= this.length) return undefined;
    const queue = (index - 1) >> 1;
    const type = index === 0 ? 'umem' : index % 2 ? 'queue' : 'socket';
    return {
      index,
      type,
      ts: 1,
      netns: 1n,
      ifindex: index === 0 ? 0 : 2,
      queue: index === 0 ? 0 : queue,
      umem: 0,
      parent: type === 'socket' ? index - 1 : NO_OBJECT,
      tgid: 1,
      tid: 1,
      comm: 'bench',
      name: index === 0 ? '' : 'bench0',
      size: index === 0 ? UMEM_FRAMES * CHUNK : 2048,
      chunkSize: CHUNK,
      headroom: 0,
      flags: 0,
    };
  }
}

/** One CPU's producer: two queues in turns, its clock advancing by 40 to 160 ns an event. */
export class HealthyProducer {
  readonly #cpu: number;
  #events = 0;
  #ts: number;
  #since: number;
  #random: number;

  constructor(cpu: number, startNs: number) {
    this.#cpu = cpu;
    this.#ts = startNs;
    this.#since = startNs;
    this.#random = 12345 + cpu;
  }

  get events(): number {
    return this.#events;
  }

  /** Writes `count` events into the ring of `slots` slots that begins at byte `ring`, and its head. */
  produce(memory: Uint32Array, ring: number, slots: number, count: number): void {
    const first = (ring + RING_HEADER) / 4;
    const cpu = this.#cpu;
    for (let i = 0; i < count; i++) {
      const event = this.#events++;
      const at = first + (event & (slots - 1)) * SLOT_LANES;
      const round = event >>> 4;
      const packet = round >>> 1;
      const queue = cpu * 2 + (round & 1);
      const step = STEPS[event & 15] as readonly [number, number];
      const has = step[1];
      this.#random = (Math.imul(this.#random, 1103515245) + 12345) >>> 0;
      this.#ts += 40 + ((this.#random >>> 16) % 121);
      const position = has & F.ahead ? packet + WAITING : packet;
      const addr = (queue * FRAMES + (position % FRAMES)) * CHUNK;
      memory[at] = event + 1;
      memory[at + 1] = 0;
      memory[at + 2] = this.#ts >>> 0;
      memory[at + 3] = Math.floor(this.#ts / 0x1_0000_0000);
      memory[at + 4] = 100 + cpu;
      memory[at + 5] = 100;
      memory[at + 6] = step[0];
      memory[at + 7] = cpu;
      memory[at + 8] = 1 + 2 * queue + (has & F.socket ? 1 : 0);
      memory[at + 9] = has & F.position ? position : has & F.wake ? 1 : 0;
      memory[at + 10] = has & F.addr ? addr : 0;
      memory[at + 11] = 0;
      memory[at + 12] = has & F.len ? 60 : 0;
      memory[at + 13] = has & F.count ? 1 : 0;
      memory[at + 14] = has & F.since ? this.#since >>> 0 : 0;
      memory[at + 15] = has & F.since ? Math.floor(this.#since / 0x1_0000_0000) : 0;
      if ((event & 15) === 1) this.#since = this.#ts;
    }
    memory[ring / 4] = this.#events;
    memory[ring / 4 + 1] = 0;
  }
}

export const ringStride = (slots: number): number => RING_HEADER + slots * SLOT_BYTES;
