// Frames come out on RX in the order in which they went into the FILL ring; dropped ones may be handed out again first.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import { keepPlace, PLACE_WORDS, placeRef } from '../../check/place.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND, LANE } from '../../generated/layouts.ts';
import { NO_OBJECT } from '../../model/objects.ts';
import { FLAG, HEAD } from '../../model/slot.ts';
import type { EventRef } from '../../model/violation.ts';
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
/** XSK_FROM_FREE_LIST of bpf/probes/xsk.bpf.c. */
const FROM_FREE_LIST = FLAG.own << 16;

const QUEUES_MAX = 1024;
const ENTRIES_MIN = 64;
const ENTRIES_MAX = 1 << 15;

/** Words of a frame: where it is, at which FILL position it was put, and into whose ring. */
const WHERE = 0;
const PUT_AT = 1;
const WHOSE = 2;
const FRAME_WORDS = 4;
const IN_FILL = 1;
/** The kernel has it: being written, or dropped and on the free list. */
const TAKEN = 2;
const GIVEN = 3;

/** Words of a FILL entry. */
const AT = 0;
const LOW = 1;
const HIGH = 2;
const PLACE = 3;
/** Holds the kind and CPU of the event: never 0 once the entry is known. */
const KNOWN = PLACE + 4;
const ENTRY_WORDS = PLACE + PLACE_WORDS;

interface Queue {
  readonly mask: number;
  readonly entries: Uint32Array;
  /** Position that the next take must have, once one was seen. */
  next: number;
  takes: boolean;
  /** The last take: its frame (word index), its FILL position and place. */
  took: number;
  tookAt: number;
  readonly tookPlace: Uint32Array;
  /** A broken order was told up to this position: what follows from it isn't told again. */
  quietUntil: number;
  quiet: boolean;
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
    this.#queues = new PerObject(context, QUEUES_MAX, (object) => makeQueue(objects.get(object)?.size));
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
    const low = lanes[at + ADDR] as number;
    const high = lanes[at + ADDR + 1] as number;
    const frame = this.#frames.at(umem, low, high);
    if (kind === RX_WRITE) return this.#write(event, umem, object, frame);
    const queue = this.#queues.get(object);
    if (queue === null) return this.#context.unplaced();
    const position = lanes[at + POSITION] as number;
    const entry = (position & queue.mask) * ENTRY_WORDS;
    if (kind === FILL_TAKE) {
      if (frame < 0) return this.#context.unplaced();
      this.#take(event, umem, queue, frame);
      return;
    }
    const { entries } = queue;
    entries[entry + AT] = position;
    entries[entry + LOW] = low;
    entries[entry + HIGH] = high;
    keepPlace(entries, entry + PLACE, lanes, at);
    // An address outside is skipped by the kernel and is another invariant's affair.
    if (frame < 0) return;
    umem.words[frame + WHERE] = IN_FILL;
    umem.words[frame + PUT_AT] = position;
    umem.words[frame + WHOSE] = object;
  }

  gap(): void {
    this.#context.unknown(this.#frames.clear());
    this.#queues.clear();
    this.#writes.clear();
  }

  #take(event: EventView, umem: Umem, queue: Queue, frame: number): void {
    const { lanes, at } = event;
    const object = lanes[at + OBJECT] as number;
    const position = lanes[at + POSITION] as number;
    const { words } = umem;
    if (((lanes[at + KIND_FLAGS] as number) & FROM_FREE_LIST) !== 0) {
      // The position is that of the take before: dropped frames leave FILL where it is (xp_alloc).
      if (words[frame + WHERE] === IN_FILL && queue.takes)
        this.#tell(
          event,
          umem,
          object,
          queue,
          frame,
          `the kernel handed out ${this.#name(umem, frame)} as a dropped frame`,
        );
    } else {
      const entry = (position & queue.mask) * ENTRY_WORDS;
      const { entries } = queue;
      if (entries[entry + KNOWN] !== 0 && entries[entry + AT] === position) {
        const put = this.#frames.at(umem, entries[entry + LOW] as number, entries[entry + HIGH] as number);
        if (put !== frame) this.#tellRewritten(event, umem, object, queue, frame, put);
      }
      queue.next = (position + 1) >>> 0;
      queue.takes = true;
      queue.tookAt = position;
    }
    queue.took = frame;
    keepPlace(queue.tookPlace, 0, lanes, at);
    words[frame + WHERE] = TAKEN;
    words[frame + WHOSE] = object;
  }

  #write(event: EventView, umem: Umem, socket: number, frame: number): void {
    const writes = this.#writes.get(socket);
    if (writes === null) return this.#context.unplaced();
    writes.note(event.lanes, event.at, 0);
    if (frame < 0) return this.#context.unplaced();
    const { words } = umem;
    const where = words[frame + WHERE] as number;
    words[frame + WHERE] = GIVEN;
    if (where === TAKEN || where === 0) return;
    const object = this.#context.objects.get(socket)?.parent ?? NO_OBJECT;
    const queue = this.#queues.peek(object);
    // This queue did take it; that it is in a ring again already is another invariant's affair.
    if (!queue?.takes || frame === queue.took) return;
    words[frame + WHERE] = where;
    this.#tell(event, umem, object, queue, frame, `RX gave ${this.#name(umem, frame)}`);
    words[frame + WHERE] = GIVEN;
  }

  /** What was published but never written there: an old descriptor, which names a frame that is elsewhere by now. */
  #publish(event: EventView, socket: number): void {
    const { lanes, at } = event;
    const writes = this.#writes.get(socket);
    if (writes === null) return this.#context.unplaced();
    const published = writes.compare(lanes, at);
    if (published === 'written' || published === 'unknown') return;
    const object = this.#context.objects.get(socket)?.parent ?? NO_OBJECT;
    const umem = this.#frames.of(socket);
    const queue = this.#queues.peek(object);
    writes.desync();
    if (umem === null || !queue?.takes) return;
    const frame = this.#frames.at(umem, lanes[at + ADDR] as number, lanes[at + ADDR + 1] as number);
    if (frame === queue.took) return;
    const given = frame < 0 ? hex(event.u64('addr')) : this.#name(umem, frame);
    this.#tell(event, umem, object, queue, frame, `RX gave ${given}`);
  }

  #tellRewritten(
    event: EventView,
    umem: Umem,
    object: number,
    queue: Queue,
    frame: number,
    put: number,
  ): void {
    const position = event.u32('position');
    if (queue.quiet && ((position - queue.quietUntil) | 0) <= 0) return;
    const entry = (position & queue.mask) * ENTRY_WORDS;
    const { entries } = queue;
    const expected =
      put < 0
        ? hex(BigInt(entries[entry + LOW] as number) | (BigInt(entries[entry + HIGH] as number) << 32n))
        : this.#name(umem, put);
    this.#violate(event, umem, object, queue, frame, position, [placeRef(entries, entry + PLACE)], {
      given: `FILL gave ${this.#name(umem, frame)}`,
      expected,
    });
  }

  /** Frame `frame` (-1: none of this umem) came though another was next. */
  #tell(event: EventView, umem: Umem, object: number, queue: Queue, frame: number, given: string): void {
    const { entries, took } = queue;
    const entry = (queue.next & queue.mask) * ENTRY_WORDS;
    if (took >= 0 && took !== frame && umem.words[took + WHERE] === TAKEN) {
      const expected = this.#name(umem, took);
      this.#violate(event, umem, object, queue, frame, queue.tookAt, [placeRef(queue.tookPlace, 0)], {
        given,
        expected,
      });
      return;
    }
    if (entries[entry + KNOWN] === 0 || entries[entry + AT] !== queue.next) return;
    const next = this.#frames.at(umem, entries[entry + LOW] as number, entries[entry + HIGH] as number);
    if (next === frame) {
      this.#violate(event, umem, object, queue, -1, queue.next, [placeRef(entries, entry + PLACE)], {
        given,
        expected: null,
      });
      return;
    }
    const expected = next < 0 ? hex(entries[entry + LOW] as number) : this.#name(umem, next);
    this.#violate(event, umem, object, queue, frame, queue.next, [placeRef(entries, entry + PLACE)], {
      given,
      expected,
    });
  }

  #violate(
    event: EventView,
    umem: Umem,
    object: number,
    queue: Queue,
    frame: number,
    from: number,
    evidence: readonly EventRef[],
    words: { readonly given: string; readonly expected: string | null },
  ): void {
    const where = describeQueue(this.#context.objects, object);
    const inFill = frame >= 0 && umem.words[frame + WHERE] === IN_FILL;
    const own = inFill && umem.words[frame + WHOSE] === object;
    const putAt = own ? (umem.words[frame + PUT_AT] as number) : 0;
    const name = frame < 0 ? 'it' : this.#name(umem, frame);
    let why = `${name} is not in this FILL ring`;
    if (words.expected === null) why = 'it is still in the FILL ring';
    else if (own) {
      why = `${name} is ${count((putAt - from) | 0, 'entry', 'entries')} behind`;
      queue.quiet = true;
      queue.quietUntil = putAt;
    } else if (inFill)
      why = `${name} is in the FILL ring of ${describeQueue(this.#context.objects, umem.words[frame + WHOSE] as number)}`;
    const all = [...evidence];
    if (own) {
      const entry = (putAt & queue.mask) * ENTRY_WORDS;
      if (queue.entries[entry + AT] === putAt && queue.entries[entry + KNOWN] !== 0)
        all.push(placeRef(queue.entries, entry + PLACE));
    }
    const order =
      words.expected === null
        ? 'which the kernel had not taken'
        : `FILL order says ${words.expected} was next`;
    this.#context.violate({
      object: `queue ${object}`,
      sentence: `${where}: ${words.given}, ${order} (${why})`,
      evidence: inOrder(all),
    });
  }

  #name(umem: Umem, frame: number): string {
    return hex(this.#frames.address(umem, frame));
  }
}

function makeQueue(size: number | undefined): Queue | null {
  if (size === undefined) return null;
  let entries = ENTRIES_MIN;
  while (entries < size && entries < ENTRIES_MAX) entries *= 2;
  return {
    mask: entries - 1,
    entries: new Uint32Array(entries * ENTRY_WORDS),
    next: 0,
    takes: false,
    took: -1,
    tookAt: 0,
    tookPlace: new Uint32Array(PLACE_WORDS),
    quietUntil: 0,
    quiet: false,
  };
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
