// Every address in a FILL, TX or RX ring lies in its umem, its packet in its chunk, and none is a known poison value.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND, LANE } from '../../generated/layouts.ts';
import { HEAD } from '../../model/slot.ts';
import { Frames, type Umem } from './_frames.ts';
import { describeQueue, hex, nameFrame } from './_words.ts';

/** Bindings of this module's own are constants to V8, imported ones are read each time. */
const { xsk_fill_submit: FILL_SUBMIT, xsk_tx_submit: TX_SUBMIT } = KIND;
const { kindFlags: KIND_FLAGS } = HEAD;
const OBJECT = LANE.xsk_fill_submit.object;
const POSITION = LANE.xsk_fill_submit.position;
const ADDR = LANE.xsk_fill_submit.addr;
const LENGTH = LANE.xsk_tx_submit.len;

/** Values that programs and allocators write over memory that must not be used (the first one is the story's). */
const POISONS: readonly bigint[] = [
  0xdead_beef_dead_beefn,
  0xffff_ffff_ffff_ffffn,
  0x5a5a_5a5a_5a5a_5a5an,
  0x6b6b_6b6b_6b6b_6b6bn,
  0xcccc_cccc_cccc_ccccn,
  0xbaad_f00d_baad_f00dn,
];

class DescriptorBounds implements Stepper {
  readonly #context: InvariantContext;
  readonly #frames: Frames;

  constructor(context: InvariantContext) {
    this.#context = context;
    this.#frames = new Frames(context, 0);
  }

  step(event: EventView): void {
    const { lanes, at } = event;
    const umem = this.#frames.of(lanes[at + OBJECT] as number);
    if (umem === null) return this.#context.unplaced();
    const low = lanes[at + ADDR] as number;
    const high = lanes[at + ADDR + 1] as number;
    const isFill = ((lanes[at + KIND_FLAGS] as number) & 0xffff) === FILL_SUBMIT;
    if (umem.unaligned) return this.#stepUnaligned(event, umem, isFill);
    const address = low + high * 0x1_0000_0000;
    if (address >= umem.size) return this.#outside(event, umem);
    // The kernel masks the low bits of a FILL address (xp_aligned_extract_addr); of a packet it needs the whole in one chunk.
    if (isFill) return;
    const { chunk } = umem;
    const offset = (chunk & (chunk - 1)) === 0 ? low & (chunk - 1) : address % chunk;
    if (offset + (lanes[at + LENGTH] as number) > chunk) this.#crosses(event, umem);
  }

  /** What is in the rings says nothing about what comes: there is nothing to forget. */
  gap(): void {}

  #stepUnaligned(event: EventView, umem: Umem, isFill: boolean): void {
    const { lanes, at } = event;
    const high = lanes[at + ADDR + 1] as number;
    const base = (lanes[at + ADDR] as number) + (high & 0xffff) * 0x1_0000_0000;
    // A FILL entry's offset is dropped, and a whole chunk must fit (xp_check_unaligned).
    const end = isFill ? base + umem.chunk : base + (high >>> 16) + (lanes[at + LENGTH] as number);
    if (base >= umem.size || end > umem.size) return this.#outside(event, umem);
    if (!isFill && (lanes[at + LENGTH] as number) > umem.chunk) this.#crosses(event, umem);
  }

  #outside(event: EventView, umem: Umem): void {
    const address = event.u64('addr');
    const where = this.#where(event);
    const length = event.kindNumber === FILL_SUBMIT ? '' : ` (${event.u32('len')} bytes)`;
    this.#context.violate({
      object: nameFrame(umem.index, address),
      sentence: POISONS.includes(address)
        ? `${hex(address)} is ${where}: a poison value, not an address in umem ${umem.index}`
        : `address ${hex(address)}${length} is ${where}, but umem ${umem.index} ends at ${hex(umem.size)}`,
    });
  }

  #crosses(event: EventView, umem: Umem): void {
    const address = event.u64('addr');
    this.#context.violate({
      object: nameFrame(umem.index, address - (umem.unaligned ? 0n : address % BigInt(umem.chunk))),
      sentence: `the ${event.u32('len')} bytes at ${hex(address)} ${this.#where(event)} reach over the end of their ${umem.chunk}-byte chunk of umem ${umem.index}`,
    });
  }

  #where(event: EventView): string {
    const ring = { [FILL_SUBMIT]: 'FILL', [TX_SUBMIT]: 'TX' }[event.kindNumber] ?? 'RX';
    const { lanes, at } = event;
    return `in the ${ring} ring of ${describeQueue(this.#context.objects, lanes[at + OBJECT] as number)} at position ${lanes[at + POSITION]}`;
  }
}

export default defineInvariant({
  name: 'xsk.descriptor-bounds',
  claim:
    'every address in a FILL, TX or RX ring lies in its umem, its packet inside one chunk, and none is a poison value',
  object: '(umem, frame)',
  source:
    'net/xdp/xsk_queue.h: xp_validate_desc; net/xdp/xsk_buff_pool.c: xp_check_aligned, xp_check_unaligned',
  needs: ['xsk_fill_submit', 'xsk_tx_submit', 'xsk_rx_publish'],
  picture: [
    { from: 'inside its umem', event: 'xsk_fill_submit', to: 'inside its umem' },
    { from: 'inside its umem', event: 'xsk_tx_submit', to: 'inside its umem' },
    { from: 'inside its umem', event: 'xsk_rx_publish', to: 'inside its umem' },
  ],
  start: (context) => new DescriptorBounds(context),
});
