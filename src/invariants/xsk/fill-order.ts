// Frames come out on RX in the order in which they went into the FILL ring; dropped ones may be handed out again first.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import { keepPlace, PLACE_WORDS, placeRef } from '../../check/place.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND, LANE } from '../../generated/layouts.ts';
import { NO_OBJECT } from '../../model/objects.ts';
import { FLAG, HEAD } from '../../model/slot.ts';
import { Frames, type Umem } from './_frames.ts';
import { inOrder, PerObject } from './_memory.ts';
import { RxWrites } from './_rx-writes.ts';
import { count, describeQueue, hex } from './_words.ts';

/** Bindings of this module's own are constants to V8, imported ones are read each time. */
const { xsk_fill_take: FILL_TAKE, xsk_rx_publish: RX_PUBLISH, xsk_rx_write: RX_WRITE } = KIND;
const { kindFlags: KIND_FLAGS } = HEAD;
const OBJECT = LANE.xsk_fill_submit.object;
const POSITION = LANE.xsk_fill_submit.position;
const ADDR = LANE.xsk_fill_submit.addr;
/** XSK_FROM_FREE_LIST of bpf/probes/xsk-records.bpf.h. */
const FROM_FREE_LIST = FLAG.own << 16;
const QUEUES_MAX = 1024;

/** Words of a frame: where it is, its FILL position, into whose ring it was put, and the event that made it so. */
const WHERE = 0;
const PUT_AT = 1;
const WHOSE = 2;
const PLACE = 3;
const FRAME_WORDS = PLACE + PLACE_WORDS;
/** Not known, or known to be in FILL more than once: then no order can be said of it. */
const UNKNOWN = 0;
const IN_FILL = 1;
/** The kernel has it: being written, or dropped and on the free list. */
const TAKEN = 2;
const GIVEN = 3;

interface Queue {
  /** Position of the next take, once one was seen. */
  next: number;
  takes: boolean;
  /** The frame taken last, -1 if none. */
  took: number;
  /** A zero-copy driver takes frames for its own ring, long before it writes them: which is next is not known here. */
  ahead: boolean;
  /** A broken order was told up to this position: what follows from it isn't told again. */
  quietUntil: number;
  quiet: boolean;
}

/** A frame that came: in words, and as words of the umem if it is one of its frames. */
interface Given {
  readonly how: string;
  readonly frame: number;
}

class FillOrder implements Stepper {
  readonly #context: InvariantContext;
  readonly #frames: Frames;
  readonly #queues: PerObject<Queue>;
  readonly #writes: PerObject<RxWrites>;

  constructor(context: InvariantContext) {
    const { objects } = context;
    this.#context = context;
    this.#frames = new Frames(context, FRAME_WORDS);
    this.#queues = new PerObject(context, QUEUES_MAX, () => ({
      next: 0,
      takes: false,
      took: -1,
      ahead: false,
      quietUntil: 0,
      quiet: false,
    }));
    this.#writes = new PerObject(context, QUEUES_MAX, (object) =>
      objects.get(object) ? new RxWrites() : null,
    );
  }

  step(event: EventView): void {
    const { lanes, at } = event;
    const kind = (lanes[at + KIND_FLAGS] as number) & 0xffff;
    const object = lanes[at + OBJECT] as number;
    if (kind === RX_PUBLISH) return this.#publish(event, object);
    const umem = this.#frames.of(object);
    if (umem === null) return this.#context.unplaced();
    const frame = this.#frames.at(umem, lanes[at + ADDR] as number, lanes[at + ADDR + 1] as number);
    if (kind === RX_WRITE) return this.#write(event, umem, object, frame);
    // The kernel skips an address outside, which is another invariant's affair.
    if (frame < 0) return this.#context.unplaced();
    const { words } = umem;
    if (kind === FILL_TAKE) return this.#take(event, umem, object, frame);
    words[frame + WHERE] = words[frame + WHERE] === IN_FILL ? UNKNOWN : IN_FILL;
    words[frame + PUT_AT] = lanes[at + POSITION] as number;
    words[frame + WHOSE] = object;
    keepPlace(words, frame + PLACE, lanes, at);
  }

  gap(): void {
    this.#context.unknown(this.#frames.clear());
    this.#queues.clear();
    this.#writes.clear();
  }

  #take(event: EventView, umem: Umem, object: number, frame: number): void {
    const queue = this.#queues.get(object);
    if (queue === null) return this.#context.unplaced();
    const { lanes, at } = event;
    const { words } = umem;
    const where = words[frame + WHERE] as number;
    if (((lanes[at + KIND_FLAGS] as number) & FROM_FREE_LIST) !== 0) {
      // The position is that of the take before: dropped frames leave FILL where it is (xp_alloc).
      if (where === IN_FILL && queue.takes)
        this.#tell(event, umem, object, queue, { how: 'the kernel handed out the dropped frame', frame });
    } else {
      const position = lanes[at + POSITION] as number;
      const inOrder =
        where === IN_FILL && words[frame + PUT_AT] === position && words[frame + WHOSE] === object;
      if (!inOrder && where !== UNKNOWN) this.#judgeTake(event, umem, object, queue, frame);
      const { took } = queue;
      // A frame that was dropped is handed out again before any of FILL is taken.
      if (took >= 0 && words[took + WHERE] === TAKEN && words[took + WHOSE] === object) queue.ahead = true;
      words[frame + PUT_AT] = position;
      queue.next = (position + 1) >>> 0;
      queue.takes = true;
    }
    queue.took = frame;
    words[frame + WHERE] = TAKEN;
    words[frame + WHOSE] = object;
    keepPlace(words, frame + PLACE, lanes, at);
  }

  #write(event: EventView, umem: Umem, socket: number, frame: number): void {
    const writes = this.#writes.get(socket);
    if (writes === null) return this.#context.unplaced();
    writes.note(event.lanes, event.at, 0);
    if (frame < 0) return this.#context.unplaced();
    const { words } = umem;
    const where = words[frame + WHERE] as number;
    if (where === IN_FILL || where === GIVEN) {
      const object = this.#context.objects.get(socket)?.parent ?? NO_OBJECT;
      const queue = this.#queues.peek(object);
      // This queue did take it; that it is in a ring again already is another invariant's affair.
      if (queue?.takes && frame !== queue.took)
        this.#tell(event, umem, object, queue, { how: 'RX gave', frame });
    }
    words[frame + WHERE] = GIVEN;
  }

  /** What was published but never written there: an old descriptor, which names a frame that is elsewhere by now. */
  #publish(event: EventView, socket: number): void {
    const { lanes, at } = event;
    const writes = this.#writes.get(socket);
    if (writes === null) return this.#context.unplaced();
    const published = writes.compare(lanes, at);
    if (published === 'written' || published === 'unknown') return;
    writes.desync();
    const object = this.#context.objects.get(socket)?.parent ?? NO_OBJECT;
    const umem = this.#frames.of(socket);
    const queue = this.#queues.peek(object);
    if (umem === null || !queue?.takes) return;
    const frame = this.#frames.at(umem, lanes[at + ADDR] as number, lanes[at + ADDR + 1] as number);
    if (frame !== queue.took) this.#tell(event, umem, object, queue, { how: 'RX gave', frame });
  }

  /** A take of a frame that was not put there: somebody has changed the entry since it was seen. */
  #judgeTake(event: EventView, umem: Umem, object: number, queue: Queue, frame: number): void {
    const position = event.u32('position');
    if (queue.quiet && ((position - queue.quietUntil) | 0) <= 0) return;
    const expected = this.#findInFill(umem, object, position);
    if (expected >= 0)
      this.#violate(event, umem, object, queue, { how: 'FILL gave', frame }, expected, position);
  }

  /** A frame came though another was next: the one the kernel has taken, or else the first in FILL. */
  #tell(event: EventView, umem: Umem, object: number, queue: Queue, given: Given): void {
    if (queue.ahead) return this.#context.unknown();
    const { took } = queue;
    const hasTaken = took >= 0 && took !== given.frame && umem.words[took + WHERE] === TAKEN;
    const expected = hasTaken ? took : this.#findInFill(umem, object, queue.next);
    const from = hasTaken ? (umem.words[took + PUT_AT] as number) : queue.next;
    if (expected >= 0) this.#violate(event, umem, object, queue, given, expected, from);
  }

  /** The frame at a position of a FILL ring, or -1. */
  #findInFill(umem: Umem, object: number, position: number): number {
    const { words } = umem;
    for (let at = 0; at < words.length; at += FRAME_WORDS)
      if (words[at + WHERE] === IN_FILL && words[at + PUT_AT] === position && words[at + WHOSE] === object)
        return at;
    return -1;
  }

  #violate(
    event: EventView,
    umem: Umem,
    object: number,
    queue: Queue,
    { how, frame }: Given,
    expected: number,
    from: number,
  ): void {
    const { objects } = this.#context;
    const { words } = umem;
    const name = frame < 0 ? hex(event.u64('addr')) : hex(this.#frames.address(umem, frame));
    const evidence = [placeRef(words, expected + PLACE)];
    let order = `FILL order says ${hex(this.#frames.address(umem, expected))} was next`;
    let why = `${name} is not in this FILL ring`;
    if (expected === frame) {
      order = 'which the kernel had not taken';
      why = 'it is still in the FILL ring';
    } else if (frame >= 0 && words[frame + WHERE] === IN_FILL) {
      const whose = words[frame + WHOSE] as number;
      const putAt = words[frame + PUT_AT] as number;
      evidence.push(placeRef(words, frame + PLACE));
      why = `${name} is in the FILL ring of ${describeQueue(objects, whose)}`;
      if (whose === object) {
        why = `${name} is ${count((putAt - from) | 0, 'entry', 'entries')} behind`;
        queue.quiet = true;
        queue.quietUntil = putAt;
      }
    }
    this.#context.violate({
      object: `queue ${object}`,
      sentence: `${describeQueue(objects, object)}: ${how} ${name}, ${order} (${why})`,
      evidence: inOrder(evidence),
    });
  }
}

export default defineInvariant({
  name: 'xsk.fill-order',
  claim:
    'frames come out on RX in the order in which they were put into that FILL ring, dropped ones handed out again apart',
  object: 'fill ring',
  source: 'net/xdp/xsk_buff_pool.c: xp_alloc, xp_free; net/xdp/xsk_queue.h',
  needs: ['xsk_fill_submit', 'xsk_fill_take', 'xsk_rx_write', 'xsk_rx_publish'],
  picture: [
    { from: 'free', event: 'xsk_fill_submit', to: 'in FILL' },
    { from: 'in FILL', event: 'xsk_fill_take', to: 'taken' },
    { from: 'taken', event: 'xsk_fill_take', to: 'taken' },
    { from: 'taken', event: 'xsk_rx_write', to: 'given' },
    { from: 'given', event: 'xsk_fill_submit', to: 'in FILL' },
  ],
  start: (context) => new FillOrder(context),
});
