// A descriptor's length is the length of the packet that the XDP program saw.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import { keepPlace, placeRef } from '../../check/place.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND, LANE } from '../../generated/layouts.ts';
import { HEAD } from '../../model/slot.ts';
import type { EventRef } from '../../model/violation.ts';
import { CPUS_MAX, inOrder, PerObject } from './_memory.ts';
import { RxWrites } from './_rx-writes.ts';
import { describeQueue, nameFrame } from './_words.ts';

/** Bindings of this module's own are constants to V8, imported ones are read each time. */
const { xsk_redirect: REDIRECT, xsk_rx_reserve: RX_RESERVE, xsk_rx_write: RX_WRITE } = KIND;
const { cpu: CPU, kindFlags: KIND_FLAGS } = HEAD;
const OBJECT = LANE.xsk_rx_write.object;
const LENGTH = LANE.xsk_rx_write.len;
const SOCKETS_MAX = 1024;
/** Room in front of a received packet, XDP_PACKET_HEADROOM. */
const PACKET_HEADROOM = 256;

/** Words of a CPU: the packet redirected last and not written yet, and the length its reservation was made with. */
const REDIRECTED = 0;
const SAW = 1;
const SAW_PLACE = 2;
const RESERVED = 7;
const RESERVED_LENGTH = 8;
const STRIDE = 10;

class Length implements Stepper {
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
    const length = lanes[at + LENGTH] as number;
    const number = lanes[at + CPU] as number;
    if (number >= CPUS_MAX) return this.#context.unplaced();
    const cpu = number * STRIDE;
    const cpus = this.#cpus;
    switch ((lanes[at + KIND_FLAGS] as number) & 0xffff) {
      case REDIRECT:
        cpus[cpu + REDIRECTED] = (object + 1) | 0;
        cpus[cpu + SAW] = length;
        cpus[cpu + RESERVED] = 0;
        keepPlace(cpus, cpu + SAW_PLACE, lanes, at);
        return;
      case RX_RESERVE:
        cpus[cpu + RESERVED] = (object + 1) | 0;
        cpus[cpu + RESERVED_LENGTH] = length;
        return;
      case RX_WRITE: {
        const writes = this.#writes.get(object);
        if (writes === null) return this.#context.unplaced();
        const seen = cpus[cpu + REDIRECTED] === (object + 1) >>> 0;
        const saw = seen ? (cpus[cpu + SAW] as number) : 0;
        writes.note(lanes, at, saw);
        if (seen && saw !== length) this.#judgeWrite(event, object, cpu, saw, length);
        cpus[cpu + REDIRECTED] = 0;
        cpus[cpu + RESERVED] = 0;
        return;
      }
      default: {
        const writes = this.#writes.get(object);
        if (writes === null) return this.#context.unplaced();
        const from = writes.find(lanes[at + LANE.xsk_rx_publish.position] as number);
        if (from >= 0 && writes.length(from) !== length) this.#judgePublication(event, object, writes, from);
      }
    }
  }

  gap(): void {
    this.#context.unknown(this.#writes.clear());
    this.#cpus.fill(0);
  }

  #judgeWrite(event: EventView, socket: number, cpu: number, saw: number, length: number): void {
    const cpus = this.#cpus;
    // A packet in several buffers is longer than its first one, which is all that was measured, and comes in pieces of
    // a frame's room: then the reservation was already made with the other length.
    if (cpus[cpu + RESERVED] === socket + 1 && cpus[cpu + RESERVED_LENGTH] !== saw) {
      if (cpus[cpu + RESERVED_LENGTH] === length && (length > saw || saw > this.#room(socket))) return;
    }
    this.#tell(event, socket, `the descriptor says ${length} bytes, XDP saw ${saw}`, [
      placeRef(cpus, cpu + SAW_PLACE),
    ]);
  }

  #judgePublication(event: EventView, socket: number, writes: RxWrites, from: number): void {
    if (writes.wasOverwritten(event.lanes, event.at)) return;
    const saw = writes.seenLength(from);
    const written = writes.length(from);
    const truth = saw === written ? `XDP saw ${saw}` : `${written} were written`;
    this.#tell(event, socket, `the published descriptor says ${event.u32('len')} bytes, ${truth}`, [
      placeRef(writes.words, writes.place(from)),
    ]);
  }

  #tell(event: EventView, socket: number, what: string, evidence: EventRef[]): void {
    const { objects } = this.#context;
    const umem = objects.get(socket)?.umem ?? -1;
    const chunk = BigInt(objects.get(umem)?.chunkSize || 1);
    const address = event.u64('addr');
    const name = nameFrame(umem, address - (address % chunk));
    this.#context.violate({
      object: name,
      sentence: `${name} in the RX ring of ${describeQueue(objects, socket)}: ${what}`,
      evidence: inOrder(evidence),
    });
  }

  /** Bytes of a packet that one frame takes. */
  #room(socket: number): number {
    const { objects } = this.#context;
    const umem = objects.get(objects.get(socket)?.umem ?? -1);
    return umem ? umem.chunkSize - umem.headroom - PACKET_HEADROOM : 0;
  }
}

export default defineInvariant({
  name: 'xsk.length',
  claim: 'the length in an RX descriptor is the length of the packet that the XDP program saw',
  object: '(umem, frame)',
  source: 'net/xdp/xsk.c: xsk_rcv, __xsk_rcv_zc',
  needs: ['xsk_redirect', 'xsk_rx_reserve', 'xsk_rx_write', 'xsk_rx_publish'],
  picture: [
    { from: 'no packet', event: 'xsk_redirect', to: 'length known' },
    { from: 'length known', event: 'xsk_rx_reserve', to: 'entry reserved' },
    { from: 'entry reserved', event: 'xsk_rx_write', to: 'written with that length' },
    { from: 'written with that length', event: 'xsk_rx_publish', to: 'no packet' },
  ],
  start: (context) => new Length(context),
});
