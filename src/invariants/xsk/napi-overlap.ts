// One queue is polled by one CPU at a time, and a poll's flush is over before another poll of the queue begins.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import { keepPlace, PLACE_WORDS, placeCpu, placeRef, placeTime } from '../../check/place.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND, LANE } from '../../generated/layouts.ts';
import { NO_OBJECT } from '../../model/objects.ts';
import { HEAD } from '../../model/slot.ts';
import { inOrder, PerObject } from './_memory.ts';
import { describeQueue } from './_words.ts';

/** Bindings of this module's own are constants to V8, imported ones are read each time. */
const {
  xsk_flush: FLUSH,
  xsk_napi_begin: NAPI_BEGIN,
  xsk_napi_end: NAPI_END,
  xsk_rx_publish: RX_PUBLISH,
  xsk_rx_write: RX_WRITE,
} = KIND;
const { cpu: CPU, kindFlags: KIND_FLAGS } = HEAD;
const OBJECT = LANE.xsk_napi_begin.object;
const COMPLETED = LANE.xsk_napi_complete.completed;
const QUEUES_MAX = 4096;
const NOBODY = -1;

/** Where each part of a queue's state keeps its event. */
const BEGAN = 0;
const EARLIER_BEGAN = PLACE_WORDS;
const COMPLETE = 2 * PLACE_WORDS;
const RIVAL = 3 * PLACE_WORDS;

interface Queue {
  /** The CPU inside the exclusive part of a poll. */
  owner: number;
  /**
   * The CPU that was inside when another began. Its completion is reported a moment after it happened, so this alone
   * proves nothing: only if it receives or publishes once more, or ends without completing, were there two.
   */
  earlier: number;
  /** The CPU that completed its poll but is still in it. */
  tail: number;
  /** Another CPU has begun since then. */
  raced: boolean;
  readonly places: Uint32Array;
}

class NapiOverlap implements Stepper {
  readonly #context: InvariantContext;
  readonly #queues: PerObject<Queue>;
  /** Queues with something to watch for: while it is 0, receives and publications need no look-up. */
  #watched = 0;
  #completions = false;

  constructor(context: InvariantContext) {
    this.#context = context;
    this.#queues = new PerObject(context, QUEUES_MAX, () => ({
      owner: NOBODY,
      earlier: NOBODY,
      tail: NOBODY,
      raced: false,
      places: new Uint32Array(4 * PLACE_WORDS),
    }));
  }

  step(event: EventView): void {
    const { lanes, at } = event;
    const kind = (lanes[at + KIND_FLAGS] as number) & 0xffff;
    const object = lanes[at + OBJECT] as number;
    if (kind === RX_WRITE || kind === RX_PUBLISH) {
      if (this.#watched > 0) this.#work(event, this.#context.objects.get(object)?.parent ?? NO_OBJECT, kind);
      return;
    }
    if (kind === FLUSH) {
      if (this.#watched > 0) this.#work(event, object, kind);
      return;
    }
    const queue = this.#queues.get(object);
    if (queue === null) return this.#context.unplaced();
    const cpu = lanes[at + CPU] as number;
    const watched = isWatched(queue);
    if (kind === NAPI_BEGIN) this.#begin(queue, cpu, lanes, at);
    else if (kind === NAPI_END) this.#end(event, queue, object, cpu);
    else if (lanes[at + COMPLETED] === 1) this.#complete(queue, cpu, lanes, at);
    this.#watched += Number(isWatched(queue)) - Number(watched);
  }

  gap(): void {
    this.#context.unknown(this.#queues.clear());
    this.#watched = 0;
  }

  #begin(queue: Queue, cpu: number, lanes: Uint32Array, at: number): void {
    const { places } = queue;
    if (queue.owner !== NOBODY && queue.owner !== cpu) {
      queue.earlier = queue.owner;
      places.copyWithin(EARLIER_BEGAN, BEGAN, BEGAN + PLACE_WORDS);
      keepPlace(places, RIVAL, lanes, at);
    }
    if (queue.tail !== NOBODY && queue.tail !== cpu) {
      queue.raced = true;
      keepPlace(places, RIVAL, lanes, at);
    }
    if (queue.tail === cpu) {
      queue.tail = NOBODY;
      queue.raced = false;
    }
    queue.owner = cpu;
    keepPlace(places, BEGAN, lanes, at);
  }

  #complete(queue: Queue, cpu: number, lanes: Uint32Array, at: number): void {
    this.#completions = true;
    // Reported late: the other poll began after this completion.
    const late = queue.earlier === cpu;
    if (late) queue.earlier = NOBODY;
    else if (queue.owner === cpu) queue.owner = NOBODY;
    queue.tail = cpu;
    queue.raced = late;
    keepPlace(queue.places, COMPLETE, lanes, at);
  }

  #end(event: EventView, queue: Queue, object: number, cpu: number): void {
    if (queue.earlier === cpu) {
      if (this.#completions) this.#tellOverlap(event, queue, object);
      queue.earlier = NOBODY;
    }
    if (queue.owner === cpu) queue.owner = NOBODY;
    if (queue.tail === cpu) {
      queue.tail = NOBODY;
      queue.raced = false;
    }
  }

  /** A receive or a publication by a CPU that should be out of this queue's poll. */
  #work(event: EventView, object: number, kind: number): void {
    const queue = this.#queues.peek(object);
    if (!queue || !isWatched(queue)) return;
    const { cpu } = event;
    if (queue.earlier === cpu) {
      this.#tellOverlap(event, queue, object);
      queue.earlier = NOBODY;
    } else if (queue.raced && queue.tail === cpu && kind !== RX_WRITE) {
      this.#tellFlush(event, queue, object);
      queue.raced = false;
    }
    if (!isWatched(queue)) this.#watched--;
  }

  #tellOverlap(event: EventView, queue: Queue, object: number): void {
    const { places } = queue;
    const ago = event.ts - placeTime(places, RIVAL);
    this.#context.violate({
      object: `queue ${object}`,
      sentence: `two CPUs poll ${describeQueue(this.#context.objects, object)} at once: CPU ${placeCpu(places, RIVAL)} began ${microseconds(ago)} ago, and CPU ${event.cpu} is still in the poll it began before and has not completed`,
      evidence: inOrder([placeRef(places, EARLIER_BEGAN), placeRef(places, RIVAL)]),
      orderDependent: ago <= this.#context.clockErrorNs,
    });
  }

  #tellFlush(event: EventView, queue: Queue, object: number): void {
    const { places } = queue;
    const ago = event.ts - placeTime(places, RIVAL);
    this.#context.violate({
      object: `queue ${object}`,
      sentence: `CPU ${placeCpu(places, RIVAL)} began to poll ${describeQueue(this.#context.objects, object)} ${microseconds(ago)} before CPU ${event.cpu} flushed its earlier poll of it: that poll was completed before its flush ended`,
      evidence: inOrder([placeRef(places, COMPLETE), placeRef(places, RIVAL)]),
      orderDependent: ago <= this.#context.clockErrorNs,
    });
  }
}

function isWatched(queue: Queue): boolean {
  return queue.earlier !== NOBODY || queue.raced;
}

function microseconds(ns: number): string {
  return `${(ns / 1000).toFixed(1)} µs`;
}

export default defineInvariant({
  name: 'xsk.napi-overlap',
  claim: 'one CPU at a time polls a queue, and its flush is over before another poll of the queue begins',
  object: '(device, queue)',
  source:
    'include/linux/netdevice.h: NAPI_STATE_SCHED; drivers/net/veth.c: veth_poll flushed after napi_complete_done',
  needs: [
    'xsk_napi_begin',
    'xsk_napi_complete',
    'xsk_napi_end',
    'xsk_rx_write',
    'xsk_rx_publish',
    'xsk_flush',
  ],
  picture: [
    { from: 'idle', event: 'xsk_napi_begin', to: 'polling' },
    { from: 'polling', event: 'xsk_rx_write', to: 'polling' },
    { from: 'polling', event: 'xsk_flush', to: 'polling' },
    { from: 'polling', event: 'xsk_napi_complete', to: 'completed' },
    { from: 'polling', event: 'xsk_napi_end', to: 'idle' },
    { from: 'completed', event: 'xsk_napi_end', to: 'idle' },
  ],
  start: (context) => new NapiOverlap(context),
});
