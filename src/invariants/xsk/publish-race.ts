// An RX entry becomes visible to the application only after the receive that reserved it has written it.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import { keepPlace, placeCpu, placeRef, placeTime } from '../../check/place.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND, LANE } from '../../generated/layouts.ts';
import { NO_OBJECT } from '../../model/objects.ts';
import { HEAD } from '../../model/slot.ts';
import type { EventRef } from '../../model/violation.ts';
import { CPUS_MAX, inOrder, PerObject } from './_memory.ts';
import { RxWrites } from './_rx-writes.ts';
import { describeQueue, hex } from './_words.ts';

/** Bindings of this module's own are constants to V8, imported ones are read each time. */
const {
  xsk_fill_take: FILL_TAKE,
  xsk_napi_complete: NAPI_COMPLETE,
  xsk_rx_publish: RX_PUBLISH,
  xsk_rx_reserve: RX_RESERVE,
  xsk_rx_write: RX_WRITE,
} = KIND;
const { cpu: CPU, kindFlags: KIND_FLAGS } = HEAD;
const OBJECT = LANE.xsk_rx_write.object;
const POSITION = LANE.xsk_rx_write.position;
const ADDR = LANE.xsk_rx_write.addr;
const COMPLETED = LANE.xsk_napi_complete.completed;
const SOCKETS_MAX = 1024;

/** Words of a CPU: its open reservation, the frame it took last, and the poll it completed but hasn't ended. */
const OPEN = 0;
const OPEN_AT = 1;
const OPEN_PLACE = 2;
const TOOK = 7;
const TOOK_LOW = 8;
const TOOK_HIGH = 9;
const DONE = 10;
const DONE_PLACE = 11;
const STRIDE = 16;

class PublishRace implements Stepper {
  readonly #context: InvariantContext;
  readonly #writes: PerObject<RxWrites>;
  readonly #cpus = new Uint32Array(CPUS_MAX * STRIDE);

  constructor(context: InvariantContext) {
    this.#context = context;
    this.#writes = new PerObject(context, SOCKETS_MAX, (object) =>
      context.objects.get(object) ? new RxWrites() : null,
    );
  }

  step(event: EventView): void {
    const { lanes, at } = event;
    const object = lanes[at + OBJECT] as number;
    const number = lanes[at + CPU] as number;
    if (number >= CPUS_MAX) return this.#context.unplaced();
    const cpu = number * STRIDE;
    const cpus = this.#cpus;
    switch ((lanes[at + KIND_FLAGS] as number) & 0xffff) {
      case RX_RESERVE:
        cpus[cpu + OPEN] = (object + 1) | 0;
        cpus[cpu + OPEN_AT] = lanes[at + POSITION] as number;
        keepPlace(cpus, cpu + OPEN_PLACE, lanes, at);
        return;
      case RX_WRITE: {
        cpus[cpu + OPEN] = 0;
        const writes = this.#writes.get(object);
        if (writes === null) return this.#context.unplaced();
        writes.note(lanes, at, 0);
        return;
      }
      case RX_PUBLISH:
        return this.#publish(event, object);
      case FILL_TAKE:
        cpus[cpu + TOOK] = (object + 1) | 0;
        cpus[cpu + TOOK_LOW] = lanes[at + ADDR] as number;
        cpus[cpu + TOOK_HIGH] = lanes[at + ADDR + 1] as number;
        return;
      case NAPI_COMPLETE:
        if (lanes[at + COMPLETED] !== 1) return;
        cpus[cpu + DONE] = (object + 1) | 0;
        keepPlace(cpus, cpu + DONE_PLACE, lanes, at);
        return;
      default:
        cpus[cpu + DONE] = 0;
    }
  }

  gap(): void {
    this.#context.unknown(this.#writes.clear());
    this.#cpus.fill(0);
  }

  #publish(event: EventView, socket: number): void {
    const writes = this.#writes.get(socket);
    if (writes === null) return this.#context.unplaced();
    const published = writes.compare(event.lanes, event.at);
    if (published === 'written' || published === 'unknown') return;
    if (published === 'unwritten') this.#tellUnwritten(event, socket);
    else this.#tellOtherwise(event, socket, writes);
    writes.desync();
  }

  #tellUnwritten(event: EventView, socket: number): void {
    const { objects } = this.#context;
    const cpus = this.#cpus;
    const racer = this.#findReceive(socket, event);
    const evidence: EventRef[] = [];
    const where = describeQueue(objects, socket);
    let sentence = `CPU ${event.cpu} published RX entry ${event.u32('position')} of ${where}`;
    let orderDependent = false;
    if (racer >= 0) {
      evidence.push(placeRef(cpus, racer + OPEN_PLACE));
      sentence += ` while CPU ${racer / STRIDE}'s receive had not written its descriptor`;
      // It shows the frame that this receive took: it is written, only the report of it is late.
      orderDependent = this.#hasFrameOf(racer, socket, event);
    } else sentence += ', which no receive had written';
    sentence += `: it shows ${hex(event.u64('addr'))}, ${event.u32('len')} bytes`;
    const done = event.cpu * STRIDE;
    if (cpus[done + DONE] === (objects.get(socket)?.parent ?? NO_OBJECT) + 1) {
      evidence.push(placeRef(cpus, done + DONE_PLACE));
      sentence += '; NAPI poll was completed before the flush';
    }
    this.#context.violate({
      object: `socket ${socket}`,
      sentence,
      evidence: inOrder(evidence),
      orderDependent,
    });
  }

  #tellOtherwise(event: EventView, socket: number, writes: RxWrites): void {
    const from = writes.find(event.u32('position'));
    const place = writes.place(from);
    const writer = placeCpu(writes.words, place);
    const close =
      writer !== event.cpu && event.ts - placeTime(writes.words, place) <= this.#context.clockErrorNs;
    this.#context.violate({
      object: `socket ${socket}`,
      sentence: `CPU ${event.cpu} published RX entry ${event.u32('position')} of ${describeQueue(this.#context.objects, socket)} as ${hex(event.u64('addr'))}, but CPU ${writer}'s receive had written ${hex(writes.address(from))} into it`,
      evidence: [placeRef(writes.words, place)],
      orderDependent: close,
    });
  }

  /** The CPU, as its first word, with a receive under way for this entry, or else for another of the socket; or -1. */
  #findReceive(socket: number, event: EventView): number {
    const position = event.u32('position');
    let other = -1;
    for (let cpu = 0; cpu < this.#cpus.length; cpu += STRIDE) {
      if (this.#cpus[cpu + OPEN] !== socket + 1 || cpu === event.cpu * STRIDE) continue;
      if (this.#cpus[cpu + OPEN_AT] === position) return cpu;
      other = cpu;
    }
    return other;
  }

  #hasFrameOf(cpu: number, socket: number, event: EventView): boolean {
    const { objects } = this.#context;
    const entry = objects.get(socket);
    const chunk = BigInt((entry && objects.get(entry.umem)?.chunkSize) || 1);
    if (!entry || this.#cpus[cpu + TOOK] !== entry.parent + 1) return false;
    const taken =
      BigInt(this.#cpus[cpu + TOOK_LOW] as number) | (BigInt(this.#cpus[cpu + TOOK_HIGH] as number) << 32n);
    return event.u64('addr') / chunk === taken / chunk;
  }
}

export default defineInvariant({
  name: 'xsk.publish-race',
  claim: 'an RX entry is published only after it was written, with exactly what was written',
  object: 'socket',
  source:
    'net/xdp/xsk.c: xsk_flush, __xsk_rcv_zc; drivers/net/veth.c: veth_poll flushed after napi_complete_done',
  needs: [
    'xsk_fill_take',
    'xsk_rx_reserve',
    'xsk_rx_write',
    'xsk_rx_publish',
    'xsk_napi_begin',
    'xsk_napi_complete',
    'xsk_napi_end',
  ],
  picture: [
    { from: 'free', event: 'xsk_rx_reserve', to: 'reserved' },
    { from: 'reserved', event: 'xsk_rx_write', to: 'written' },
    { from: 'written', event: 'xsk_rx_publish', to: 'published' },
  ],
  start: (context) => new PublishRace(context),
});
