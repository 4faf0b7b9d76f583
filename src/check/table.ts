// Runs a table invariant over batches: one byte of state per frame, one lookup per event.

import { EventView } from '../decode/event-view.ts';
import { KIND, LANE, LAYOUTS } from '../generated/layouts.ts';
import type { InvariantContext, TableInvariant } from './invariant.ts';
import { keepPlace, placeRef } from './place.ts';
import { NO_OBJECT, OBJECTS_MAX } from '../model/objects.ts';
import { SLOT_LANES } from '../model/slot.ts';
import type { EventRef } from '../model/violation.ts';

/** Every kind that moves a frame has its object and address in these lanes (bpf/probes/xsk.bpf.c). */
const OBJECT = LANE.xsk_fill_submit.object;
const ADDR = LANE.xsk_fill_submit.addr;
/** Bindings of this module's own are constants to V8, imported ones are read each time. */
const LANES = SLOT_LANES;
const ILLEGAL = 0x80;
/** Frames one invariant keeps state for, over all umems. */
const FRAMES_MAX = 1 << 21;
const NO_FRAMES = 0xffff_ffff;
/** Lane of the number of completions that begin (xsk_comp_begin). */
const COUNT = LANE.xsk_comp_begin.count;
/** In the state byte: the event that ends what was under way for this object is still to come. */
const OWED = 0x40;
/** The same, of an object of unknown past: such an event may come, or may not. */
const MAYBE_OWED = 0x20;
const FLAGS = OWED | MAYBE_OWED;
/** Move number of the event that begins what is under way: it moves no object. */
const BEGUN = 0xff;

/** Words of a frame, half a cache line: its state byte, the state before and the last move; and the last move's place. */
const FRAME_WORDS = 8;
const STATE = 0;
const PLACE = 1;
const BYTE = 0xff;
const BEFORE_SHIFT = 8;
const MOVE_SHIFT = 16;

/** Bits of an unaligned chunk's address; above them lies the offset (XSK_UNALIGNED_BUF_OFFSET_SHIFT). */
const UNALIGNED_FLAG = 1;

export class TableChecker {
  readonly #context: InvariantContext;
  readonly #table: TableInvariant;
  /** By kind: 1 + move number. */
  readonly #moveOf = new Uint8Array(LAYOUTS.length);
  readonly #moves: readonly { kind: string; to: number }[];
  /** [move * states + state] → next state, with ILLEGAL set where the table has no such move. */
  readonly #next: Uint8Array;
  readonly #width: number;
  /** FRAME_WORDS for each frame. */
  #words = new Uint32Array(FRAME_WORDS << 12);
  /** Frames in use. */
  #used = 0;
  /** Whether anything is known of any frame: rings full of holes would have all of them cleared at each. */
  #known = false;
  /** Table.underWay in numbers: its kind of event, its move, its states; and what is under way per umem. */
  readonly #begun: number = -1;
  readonly #endMove: number = -1;
  readonly #from: number = -1;
  readonly #as: number = -1;
  readonly #open = new Int32Array(OBJECTS_MAX);
  readonly #umem = new Uint16Array(OBJECTS_MAX);
  /** By object index: first frame of its umem, log2 of the chunk size, frames. */
  #base = new Uint32Array(256).fill(NO_FRAMES);
  #shift = new Uint8Array(256);
  #frames = new Uint32Array(256);
  readonly #umemBase = new Map<number, number>();
  /** The event under report. */
  readonly view = new EventView();

  constructor(table: TableInvariant, context: InvariantContext) {
    this.#context = context;
    this.#table = table;
    const { states } = table;
    this.#width = states.length;
    const kinds = Object.entries(table.moves);
    this.#next = new Uint8Array(kinds.length * states.length);
    this.#moves = kinds.map(([kind, { from, to }], move) => {
      const number = (KIND as Record<string, number>)[kind];
      const target = states.indexOf(to);
      if (number === undefined) throw new Error(`${table.name}: there is no kind of event ${kind}`);
      if (target < 0) throw new Error(`${table.name}: ${kind} leads to ${to}, which is no state`);
      this.#moveOf[number] = move + 1;
      for (let state = 0; state < states.length; state++) {
        const legal = state === 0 || from.includes(states[state] as string);
        this.#next[move * states.length + state] = legal ? target : target | ILLEGAL;
      }
      return { kind, to: target };
    });
    if (table.underWay) {
      this.#begun = (KIND as Record<string, number>)[table.underWay.begun] ?? -1;
      this.#endMove = kinds.findIndex(([kind]) => kind === table.underWay?.ended) + 1;
      this.#from = states.indexOf(table.underWay.from);
      this.#as = states.indexOf(table.underWay.as);
      if (this.#begun > 0) this.#moveOf[this.#begun] = BEGUN;
    }
  }

  /** Steps through slots [from, end), whose kinds are given; returns how many events were the table's. */
  run(lanes: Uint32Array, kinds: Int32Array, from: number, end: number): number {
    const moveOf = this.#moveOf;
    const next = this.#next;
    const width = this.#width;
    let steps = 0;
    for (let slot = from; slot < end; slot++) {
      const move = moveOf[kinds[slot] as number] as number;
      if (move === 0) continue;
      steps++;
      const at = slot * LANES;
      if (move === BEGUN) {
        this.#begin(lanes[at + OBJECT] as number, lanes[at + COUNT] as number);
        continue;
      }
      const object = lanes[at + OBJECT] as number;
      let base = object < this.#base.length ? (this.#base[object] as number) : NO_FRAMES;
      if (base === NO_FRAMES) {
        base = this.#place(object);
        if (base === NO_FRAMES) {
          this.#context.unplaced();
          continue;
        }
      }
      const high = lanes[at + ADDR + 1] as number;
      const low = lanes[at + ADDR] as number;
      const shift = this.#shift[object] as number;
      const frame = high === 0 ? low >>> shift : frameAt(low, high, shift);
      if (frame >= (this.#frames[object] as number)) {
        this.#context.unplaced();
        continue;
      }
      const words = this.#words;
      const index = Math.imul(base + frame, FRAME_WORDS);
      let state = (words[index + STATE] as number) & BYTE;
      if (move === this.#endMove && this.#end(object, index, state)) continue;
      let owed = state & FLAGS;
      state &= ~FLAGS;
      if (state === 0) owed = MAYBE_OWED;
      let to = next[(move - 1) * width + state] as number;
      if (to & ILLEGAL) {
        if (state === this.#from && this.#mayHaveLeft(object, move)) to = (to & ~ILLEGAL) | OWED;
        else this.#break(lanes, at, index, frame, object, move, state);
      }
      to &= ~ILLEGAL;
      if ((to & ~FLAGS) === this.#from) owed &= ~MAYBE_OWED;
      // A CPU may be kept from writing its event for as long as it takes the object to move on, and on.
      words[index + STATE] = to | owed | (state << BEFORE_SHIFT) | (move << MOVE_SHIFT);
      keepPlace(words, index + PLACE, lanes, at);
      this.#known = true;
    }
    return steps;
  }

  /** History is missing: every frame's state is unknown. */
  gap(): void {
    this.#open.fill(0);
    if (!this.#known) return;
    this.#known = false;
    const words = this.#words;
    const end = this.#used * FRAME_WORDS;
    let known = 0;
    for (let i = 0; i < end; i += FRAME_WORDS) if (((words[i + STATE] as number) & BYTE) !== 0) known++;
    this.#context.unknown(known);
    words.fill(0, 0, end);
  }

  /** Index of an object's umem, or -1; kept once known, for this is asked at every completion. */
  #umemOf(object: number): number {
    if (object >= OBJECTS_MAX) return -1;
    const known = this.#umem[object] as number;
    if (known > 0) return known - 1;
    const umem = this.#context.objects.get(object)?.umem ?? NO_OBJECT;
    if (umem >= OBJECTS_MAX) return -1;
    this.#umem[object] = umem + 1;
    return umem;
  }

  #begin(object: number, count: number): void {
    const umem = this.#umemOf(object);
    if (umem >= 0) this.#open[umem] = (this.#open[umem] as number) + count;
  }

  /** Counts an end; true if its move was already taken for granted. */
  #end(object: number, index: number, state: number): boolean {
    const umem = this.#umemOf(object);
    if (umem >= 0 && (this.#open[umem] as number) > 0) this.#open[umem] = (this.#open[umem] as number) - 1;
    // Of unknown past: it may be late, and the object somewhere else by now.
    if (state === 0) return true;
    if (!(state & FLAGS)) return false;
    this.#words[index + STATE] = (this.#words[index + STATE] as number) & ~FLAGS;
    return true;
  }

  /** Whether an object met in `from` may have gone on to `as`, from where this move is legal. */
  #mayHaveLeft(object: number, move: number): boolean {
    const umem = this.#umemOf(object);
    if (umem < 0 || (this.#open[umem] as number) <= 0) return false;
    if ((this.#next[(move - 1) * this.#width + this.#as] as number) & ILLEGAL) return false;
    this.#context.unknown();
    return true;
  }

  /** Gives an object's umem a range of frames. */
  #place(object: number): number {
    const { objects } = this.#context;
    const entry = objects.get(object);
    const umem = entry && entry.umem !== NO_OBJECT ? objects.get(entry.umem) : undefined;
    if (!umem || umem.type !== 'umem' || umem.chunkSize < 1 || object >= OBJECTS_MAX) return NO_FRAMES;
    const shift = 31 - Math.clz32(umem.chunkSize);
    const frames =
      umem.flags & UNALIGNED_FLAG
        ? Math.ceil(umem.size / 2 ** shift)
        : Math.floor(umem.size / umem.chunkSize);
    let base = this.#umemBase.get(umem.index);
    if (base === undefined) {
      if (this.#used + frames > FRAMES_MAX) {
        this.#context.evicted();
        return NO_FRAMES;
      }
      base = this.#used;
      this.#used += frames;
      this.#umemBase.set(umem.index, base);
      this.#growFrames();
    }
    if (object >= this.#base.length) this.#growObjects(object);
    this.#base[object] = base;
    this.#shift[object] = shift;
    this.#frames[object] = frames;
    return base;
  }

  #growFrames(): void {
    let size = this.#words.length;
    if (size >= this.#used * FRAME_WORDS) return;
    while (size < this.#used * FRAME_WORDS) size *= 2;
    const words = new Uint32Array(size);
    words.set(this.#words);
    this.#words = words;
  }

  #growObjects(object: number): void {
    let size = this.#base.length;
    while (size <= object) size *= 2;
    const base = new Uint32Array(size).fill(NO_FRAMES);
    const shift = new Uint8Array(size);
    const frames = new Uint32Array(size);
    base.set(this.#base);
    shift.set(this.#shift);
    frames.set(this.#frames);
    this.#base = base;
    this.#shift = shift;
    this.#frames = frames;
  }

  /** The cold path: says what happened, and whether the other order of the last two events would have been legal. */
  #break(
    lanes: Uint32Array,
    at: number,
    index: number,
    frame: number,
    object: number,
    move: number,
    state: number,
  ): void {
    const { objects, clockErrorNs } = this.#context;
    const states = this.#table.states;
    const event = this.view.move(lanes, at);
    const words = this.#words;
    const last = (words[index + STATE] as number) >>> MOVE_SHIFT;
    const evidence: EventRef[] = [];
    let orderDependent = false;
    if (last > 0) {
      const earlier = placeRef(words, index + PLACE);
      evidence.push(earlier);
      if (earlier.cpu !== event.cpu && event.ts - earlier.ts <= clockErrorNs) {
        const before = ((words[index + STATE] as number) >>> BEFORE_SHIFT) & BYTE;
        const first = this.#next[(move - 1) * this.#width + before] as number;
        const second = this.#next[(last - 1) * this.#width + (first & ~ILLEGAL)] as number;
        orderDependent = !(first & ILLEGAL) && !(second & ILLEGAL);
      }
    }
    const umem = objects.get(object)?.umem ?? NO_OBJECT;
    const chunk = objects.get(umem)?.chunkSize ?? 0;
    this.#context.violate({
      object: `frame 0x${(frame * chunk).toString(16)} of umem ${umem}`,
      sentence: this.#table.sentence({
        event,
        from: states[state] as string,
        to: states[this.#moves[move - 1]?.to ?? 0] as string,
        umem,
        frame: frame * chunk,
        objects,
      }),
      evidence,
      orderDependent,
    });
  }
}

/** The frame of an address beyond 32 bits; apart, so that the usual one is reckoned in 32-bit words throughout. */
function frameAt(low: number, high: number, shift: number): number {
  return Math.min(Math.floor((low + (high & 0xffff) * 0x1_0000_0000) / 2 ** shift), NO_FRAMES) >>> 0;
}
