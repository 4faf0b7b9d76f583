// An invariant of one's own: no packet shorter than Ethernet allows is delivered to an AF_XDP socket.

import { defineInvariant } from 'flightring';

/** ETH_ZLEN: the shortest frame without its checksum. A veth may deliver shorter ones; a wire does not. */
const SHORTEST = 60;

export default defineInvariant({
  name: 'mine.short-packets',
  claim: `every packet written to an RX ring has at least ${SHORTEST} bytes`,
  object: 'socket',
  source: 'IEEE 802.3, clause 3.2.7',
  severity: 'warning',
  needs: ['xsk_rx_write'],
  start({ violate }) {
    /** Sockets that were already reported: one sentence each is enough. */
    const reported = new Set<number>();
    return {
      step(event) {
        const length = event.u32('len');
        const socket = event.u32('object');
        if (length >= SHORTEST || reported.has(socket)) return;
        reported.add(socket);
        violate({ object: `socket ${socket}`, sentence: `socket ${socket} was given a packet of ${length} bytes, shorter than ${SHORTEST}` });
      },
      // A gap hides packets, but no packet depends on an earlier one: nothing to forget.
      gap() {},
    };
  },
});
