// A queue must not drop all of its packets for long because its FILL ring is empty or its RX ring is full.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import { keepPlace, PLACE_WORDS, placeRef, placeTime } from '../../check/place.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND, LANE } from '../../generated/layouts.ts';
import { NO_OBJECT } from '../../model/objects.ts';
import { HEAD } from '../../model/slot.ts';
import { PerObject } from './_memory.ts';
import { count, describeQueue, milliseconds } from './_words.ts';

/** Bindings of this module's own are constants to V8, imported ones are read each time. */
const { xsk_rx_write: RX_WRITE } = KIND;
const { kindFlags: KIND_FLAGS } = HEAD;
const OBJECT = LANE.xsk_drop.object;
const REASON = LANE.xsk_drop.reason;
const COUNT = LANE.xsk_drop.count;

/** XSK_DROP_* of bpf/probes/xsk-records.bpf.h. */
const RX_FULL = 1;
const FILL_EMPTY = 2;

/** A shorter pause of the application is its own business: an interrupt, a garbage collection. */
const STARVED_NS = 100_000_000;
const QUEUES_MAX = 4096;

interface Episode {
  readonly first: Uint32Array;
  rxFull: number;
  fillEmpty: number;
  told: boolean;
}

class Starvation implements Stepper {
  readonly #context: InvariantContext;
  readonly #episodes: PerObject<Episode>;
  /** Queues with an open episode: while it is 0, a receive needs no look-up. */
  #open = 0;

  constructor(context: InvariantContext) {
    this.#context = context;
    this.#episodes = new PerObject(context, QUEUES_MAX, () => ({
      first: new Uint32Array(PLACE_WORDS),
      rxFull: 0,
      fillEmpty: 0,
      told: false,
    }));
  }

  step(event: EventView): void {
    const { lanes, at } = event;
    const object = lanes[at + OBJECT] as number;
    if (((lanes[at + KIND_FLAGS] as number) & 0xffff) === RX_WRITE) {
      if (this.#open > 0) this.#end(this.#context.objects.get(object)?.parent ?? NO_OBJECT);
      return;
    }
    const reason = lanes[at + REASON] as number;
    if (reason !== RX_FULL && reason !== FILL_EMPTY) return;
    const episode = this.#episodes.get(object);
    if (episode === null) return this.#context.unplaced();
    if (episode.rxFull + episode.fillEmpty === 0) {
      keepPlace(episode.first, 0, lanes, at);
      this.#open++;
    }
    if (reason === RX_FULL) episode.rxFull += lanes[at + COUNT] as number;
    else episode.fillEmpty += lanes[at + COUNT] as number;
    const lasted = event.ts - placeTime(episode.first, 0);
    if (episode.told || lasted <= STARVED_NS) return;
    episode.told = true;
    this.#tell(object, episode, lasted);
  }

  gap(): void {
    this.#context.unknown(this.#episodes.clear());
    this.#open = 0;
  }

  #end(queue: number): void {
    const episode = this.#episodes.peek(queue);
    if (!episode) return;
    this.#episodes.delete(queue);
    this.#open--;
  }

  #tell(queue: number, { first, rxFull, fillEmpty }: Episode, lasted: number): void {
    const causes = [
      fillEmpty > 0 ? `${fillEmpty} because its FILL ring was empty` : '',
      rxFull > 0 ? `${rxFull} because its RX ring was full` : '',
    ].filter(Boolean);
    this.#context.violate({
      object: `queue ${queue}`,
      sentence: `${describeQueue(this.#context.objects, queue)} received nothing for ${milliseconds(lasted)} and dropped ${count(rxFull + fillEmpty, 'packet', 'packets')}: ${causes.join(', ')}`,
      evidence: [placeRef(first, 0)],
    });
  }
}

export default defineInvariant({
  name: 'xsk.starvation',
  claim: 'a queue does not drop every packet for more than 100 ms because FILL is empty or RX is full',
  object: 'fill ring',
  source: 'Documentation/networking/af_xdp.rst: XDP_STATISTICS; net/xdp/xsk.c: rx_dropped, rx_queue_full',
  severity: 'warning',
  needs: ['xsk_drop', 'xsk_rx_write'],
  picture: [
    { from: 'fed', event: 'xsk_drop', to: 'starving' },
    { from: 'starving', event: 'xsk_drop', to: 'starving' },
    { from: 'starving', event: 'xsk_rx_write', to: 'fed' },
  ],
  start: (context) => new Starvation(context),
});
