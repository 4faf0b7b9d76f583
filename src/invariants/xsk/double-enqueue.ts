// A frame must not enter a FILL or TX ring while it sits in one, whichever socket or queue of the umem that is.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import { keepPlace, PLACE_WORDS, placeCpu, placeRef, placeTime } from '../../check/place.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND, LANE } from '../../generated/layouts.ts';
import { NO_OBJECT, OBJECTS_MAX } from '../../model/objects.ts';
import { HEAD } from '../../model/slot.ts';
import { Frames, type Umem } from './_frames.ts';
import { describeQueue, nameFrame } from './_words.ts';

/** Bindings of this module's own are constants to V8, imported ones are read each time. */
const {
  xsk_comp_begin: COMP_BEGIN,
  xsk_comp_submit: COMP_SUBMIT,
  xsk_fill_submit: FILL_SUBMIT,
  xsk_fill_take: FILL_TAKE,
  xsk_release: RELEASE,
  xsk_rx_write: RX_WRITE,
  xsk_tx_submit: TX_SUBMIT,
  xsk_tx_take: TX_TAKE,
} = KIND;
const { kindFlags: KIND_FLAGS, tsHigh: TS_HIGH, tsLow: TS_LOW } = HEAD;
const OBJECT = LANE.xsk_fill_submit.object;
const ADDR = LANE.xsk_fill_submit.addr;
const LENGTH = LANE.xsk_tx_submit.len;
const SINCE = LANE.xsk_tx_submit.since;
const COUNT = LANE.xsk_comp_begin.count;

/** Where a frame is; 0: not in a ring that we know of. `taken`: the kernel has it from FILL and hasn't used it yet. */
const FREE = 0;
const FILL = 1;
const TX = 2;
const TAKEN = 3;

/** Words of a frame: its state, since which event, and when it was sent though its entry was not reported yet. */
const STATE = 0;
const PLACE = 1;
const EARLY_LOW = PLACE + PLACE_WORDS;
const EARLY_HIGH = EARLY_LOW + 1;
const STRIDE = EARLY_HIGH + 1;
/** A state is where a frame is, where it was before it was taken, and in which queue or socket it is. */
const WHERE = 3;
const BEFORE_SHIFT = 2;
const WHOSE_SHIFT = 4;

class DoubleEnqueue implements Stepper {
  readonly #context: InvariantContext;
  readonly #frames: Frames;
  /** By umem: completions that have begun and were not reported yet; the application may see one before we do. */
  readonly #underWay = new Int32Array(OBJECTS_MAX);
  /** Receives are seen at their write: only then is it known when the kernel stops holding a frame it took. */
  #writesSeen = false;

  constructor(context: InvariantContext) {
    this.#context = context;
    this.#frames = new Frames(context, STRIDE);
  }

  step(event: EventView): void {
    const { lanes, at } = event;
    const kind = (lanes[at + KIND_FLAGS] as number) & 0xffff;
    const object = lanes[at + OBJECT] as number;
    if (kind === RELEASE) return this.#release(object);
    const umem = this.#frames.of(object);
    if (umem === null) return this.#context.unplaced();
    if (kind === COMP_BEGIN) {
      this.#underWay[umem.index] = (this.#underWay[umem.index] as number) + (lanes[at + COUNT] as number);
      return;
    }
    const low = lanes[at + ADDR] as number;
    const frame = this.#frames.at(umem, low, lanes[at + ADDR + 1] as number);
    if (frame < 0) return this.#context.unplaced();
    const { words } = umem;
    const where = (words[frame + STATE] as number) & WHERE;
    switch (kind) {
      case FILL_SUBMIT:
        if (where !== FREE) this.#tell(event, umem, frame, FILL);
        break;
      case TX_SUBMIT:
        // An entry that reaches over its chunk is refused and never sent (xp_aligned_validate_desc).
        if (!umem.unaligned && (low & (umem.chunk - 1)) + (lanes[at + LENGTH] as number) > umem.chunk) return;
        if (this.#wasSent(words, frame, lanes, at)) return;
        if (where !== FREE) this.#tell(event, umem, frame, TX);
        break;
      case FILL_TAKE:
        if (where === TX) return;
        words[frame + STATE] = this.#writesSeen
          ? TAKEN | (where << BEFORE_SHIFT) | (object << WHOSE_SHIFT)
          : FREE;
        keepPlace(words, frame + PLACE, lanes, at);
        return;
      case TX_TAKE:
        if (where === TX) words[frame + STATE] = FREE;
        else {
          words[frame + EARLY_LOW] = lanes[at + TS_LOW] as number;
          words[frame + EARLY_HIGH] = lanes[at + TS_HIGH] as number;
        }
        return;
      case COMP_SUBMIT:
        if ((this.#underWay[umem.index] as number) > 0)
          this.#underWay[umem.index] = (this.#underWay[umem.index] as number) - 1;
        if (where === TX) words[frame + STATE] = FREE;
        return;
      case RX_WRITE:
        this.#writesSeen = true;
        if (where !== TX) words[frame + STATE] = FREE;
        return;
      default:
        // A publication is reported when it is looked at: the application may have been quicker and filled again.
        if (!this.#writesSeen && where !== TX) words[frame + STATE] = FREE;
        return;
    }
    words[frame + STATE] = (kind === FILL_SUBMIT ? FILL : TX) | (object << WHOSE_SHIFT);
    keepPlace(words, frame + PLACE, lanes, at);
  }

  gap(): void {
    this.#context.unknown(this.#frames.clear());
    this.#writesSeen = false;
    this.#underWay.fill(0);
  }

  /** The kernel was seen sending this frame within the time in which this entry was made: the report is late. */
  #wasSent(words: Uint32Array, frame: number, lanes: Uint32Array, at: number): boolean {
    const early =
      (words[frame + EARLY_LOW] as number) + (words[frame + EARLY_HIGH] as number) * 0x1_0000_0000;
    if (early === 0) return false;
    words[frame + EARLY_LOW] = 0;
    words[frame + EARLY_HIGH] = 0;
    return early > (lanes[at + SINCE] as number) + (lanes[at + SINCE + 1] as number) * 0x1_0000_0000;
  }

  /** A closed socket's rings, and its queue's, are gone with what was in them. */
  #release(object: number): void {
    const queue = this.#context.objects.get(object)?.parent ?? NO_OBJECT;
    this.#frames.forEach(({ words }) => {
      for (let at = 0; at < words.length; at += STRIDE) {
        const whose = (words[at + STATE] as number) >>> WHOSE_SHIFT;
        if (whose === object || whose === queue) words[at + STATE] = FREE;
      }
    });
  }

  #tell(event: EventView, umem: Umem, frame: number, to: number): void {
    const { objects, clockErrorNs } = this.#context;
    const { words } = umem;
    const state = words[frame + STATE] as number;
    const where = state & WHERE;
    // Its entry may have been taken from TX and completed, and the report of that be under way.
    if (where === TX && (this.#underWay[umem.index] as number) > 0) return this.#context.unknown();
    const earlier = describeQueue(objects, state >>> WHOSE_SHIFT);
    const now = describeQueue(objects, event.lanes[event.at + OBJECT] as number);
    const was =
      where === TAKEN
        ? `was taken from the FILL ring of ${earlier} and not given back yet,`
        : `is in the ${where === FILL ? 'FILL' : 'TX'} ring of ${earlier}`;
    const name = nameFrame(umem.index, this.#frames.address(umem, frame));
    const close =
      placeCpu(words, frame + PLACE) !== event.cpu &&
      event.ts - placeTime(words, frame + PLACE) <= clockErrorNs;
    this.#context.violate({
      object: name,
      sentence: `${name} ${was} and now also in the ${to === FILL ? 'FILL' : 'TX'} ring of ${now}`,
      evidence: [placeRef(words, frame + PLACE)],
      // Two entries break it in either order; an entry just before the take of a frame of unknown past is legal.
      orderDependent: close && where === TAKEN && ((state >>> BEFORE_SHIFT) & WHERE) === FREE,
    });
  }
}

export default defineInvariant({
  name: 'xsk.double-enqueue',
  claim:
    'a frame enters FILL or TX only while it sits in no FILL or TX ring of any socket or queue of its umem',
  object: '(umem, frame)',
  source: 'Documentation/networking/af_xdp.rst, FAQ: the same buffer in more than one ring at the same time',
  needs: [
    'xsk_fill_submit',
    'xsk_fill_take',
    'xsk_rx_write',
    'xsk_rx_publish',
    'xsk_tx_submit',
    'xsk_tx_take',
    'xsk_comp_begin',
    'xsk_comp_submit',
    'xsk_release',
  ],
  picture: [
    { from: 'free', event: 'xsk_fill_submit', to: 'in FILL' },
    { from: 'free', event: 'xsk_tx_submit', to: 'in TX' },
    { from: 'in FILL', event: 'xsk_fill_take', to: 'taken' },
    { from: 'taken', event: 'xsk_fill_take', to: 'taken' },
    { from: 'taken', event: 'xsk_rx_write', to: 'free' },
    { from: 'in TX', event: 'xsk_tx_take', to: 'free' },
    { from: 'in TX', event: 'xsk_comp_submit', to: 'free' },
  ],
  start: (context) => new DoubleEnqueue(context),
});
