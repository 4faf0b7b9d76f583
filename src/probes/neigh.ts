// Neighbour entries: who asked for a change, from what to what; by tracepoints alone, on every kernel.

import type { ProbePath } from '../model/probe.ts';

/** include/uapi/linux/neighbour.h: NUD_*. */
const NUD = {
  0x00: 'NONE',
  0x01: 'INCOMPLETE',
  0x02: 'REACHABLE',
  0x04: 'STALE',
  0x08: 'DELAY',
  0x10: 'PROBE',
  0x20: 'FAILED',
  0x40: 'NOARP',
  0x80: 'PERMANENT',
} as const;

const path: ProbePath = {
  path: 'neigh',
  title: 'Neighbour entries (ARP and neighbour discovery)',
  probes: [
    {
      name: 'neigh_create',
      target: 'neigh_create',
      writes: ['neigh_create'],
      purpose: 'when an entry came to be',
    },
    {
      name: 'neigh_update',
      target: 'neigh_update',
      writes: ['neigh_update'],
      purpose: 'who asked for a change, and the state and MAC address before it',
    },
    {
      name: 'neigh_update_done',
      target: 'neigh_update_done',
      writes: ['neigh_update_done'],
      purpose: 'whether a change was made, and the state and MAC address after it',
    },
    {
      name: 'neigh_timer',
      target: 'neigh_timer_handler',
      writes: ['neigh_timer'],
      purpose: 'the changes of state that time makes (STALE, DELAY, PROBE, FAILED)',
    },
    {
      name: 'neigh_release',
      target: 'neigh_cleanup_and_release',
      writes: ['neigh_release'],
      purpose: 'when an entry went away',
    },
  ],
  snapshot: [
    {
      kind: 'neigh_exists',
      key: ['netns', 'ifindex', 'ip'],
      madeBy: { neigh_create: {} },
      changedBy: { neigh_update_done: {}, neigh_timer: {} },
      endedBy: ['neigh_release'],
    },
  ],
  kinds: {
    neigh_exists: 'an entry that was there before',
    neigh_create: 'an entry was made for an address, not resolved yet',
    neigh_update: 'an entry is about to change: who asked, from what, to what',
    neigh_update_done: 'the change was made, or refused',
    neigh_timer: "the entry's timer ran; this is the state after it",
    neigh_release: 'the entry is gone from the table',
  },
  words: {
    nud: NUD,
    new_nud: NUD,
    family: { 2: 'inet', 10: 'inet6' },
    has_new_mac: { 0: 'no', 1: 'yes' },
    'neigh_update.portid': { 0: 'kernel' },
    // include/net/neighbour.h: NEIGH_UPDATE_F_*; fields of type `bits` name their bits.
    'neigh_update.update_flags': {
      0x01: 'override',
      0x02: 'weak-override',
      0x04: 'override-isrouter',
      0x08: 'use',
      0x10: 'managed',
      0x20: 'ext-learned',
      0x40: 'isrouter',
      0x80: 'admin',
    },
  },
  flags: {},
};

export default path;
