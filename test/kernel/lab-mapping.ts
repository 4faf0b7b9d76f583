// The mapping for what test/kernel/trace-capture.sh probes: the one that ships, where the receive's address is the frame's.

import { MAPPINGS } from '../../src/import/mappings.ts';

export const LAB_MAPPING = (MAPPINGS['xsk-markers'] as string)
  // The packet begins behind XDP_PACKET_HEADROOM.
  .replace('{ addr = "addr", len = "len" }', '{ addr = { from = "addr", plus = 256 }, len = "len" }')
  // A return probe, there for its form.
  .replace('ignore = [', 'ignore = ["rcv_done", ');
