// A UMEM frame is in exactly one place at a time and goes round in the legal order.

import { defineInvariant } from '../../check/invariant.ts';
import { describeQueue } from './_words.ts';

export default defineInvariant({
  name: 'xsk.ownership',
  claim: 'a frame goes FILL → RX → (FILL or TX), TX → COMP → (FILL or TX), and is never in two places',
  object: '(umem, frame)',
  source: 'Documentation/networking/af_xdp.rst; net/xdp/xsk_queue.h',
  key: 'frame',
  states: ['unknown', 'FILL', 'RX', 'TX', 'COMP'],
  moves: {
    xsk_fill_submit: { from: ['RX', 'COMP'], to: 'FILL' },
    // Written before the application can see the entry; its publication is seen only after the fact.
    xsk_rx_write: { from: ['FILL'], to: 'RX' },
    xsk_tx_submit: { from: ['RX', 'COMP'], to: 'TX' },
    xsk_comp_submit: { from: ['TX'], to: 'COMP' },
  },
  underWay: { from: 'TX', as: 'COMP', begun: 'xsk_comp_begin', ended: 'xsk_comp_submit' },
  sentence: ({ event, from, to, umem, frame, objects }) =>
    `frame 0x${frame.toString(16)} of umem ${umem} went from ${from} to ${to} on ${describeQueue(objects, event.u32('object'))}${skipped(from, to)}`,
});

/** What the frame should have passed on its way. */
function skipped(from: string, to: string): string {
  if (from === to) return ': it is there twice';
  if (from === 'TX') return to === 'RX' ? ' without passing COMP and FILL' : ' without passing COMP';
  if (from === 'FILL') return ' without passing RX';
  if (to === 'RX') return ' without passing FILL';
  return to === 'COMP' ? ' without passing TX' : '';
}
