// The scenarios that run live in the lab: what each does, and what a recorder must say of it.

/** A run of the AF_XDP forwarder, or of neighbour activity, while a recorder watches. */
export interface Scenario {
  readonly name: string;
  /** One sentence: what the application does. */
  readonly about: string;
  readonly workload: 'forwarder' | 'neigh';
  /** Words for the forwarder, or the mode of neigh-churn.sh. */
  readonly words: readonly string[];
  /** Words for veth-topology.sh. */
  readonly topology?: readonly string[];
  /** Packets sent through the forwarder, and how many a second. */
  readonly packets?: number;
  readonly rate?: number;
  /** The invariants of which at least one must fire, and no other may; empty for a healthy run. */
  readonly expects: readonly string[];
  /** Invariants that may fire beside them. */
  readonly mayExpect?: readonly string[];
  /** The tripwire in the kernel must have frozen the rings. */
  readonly tripwire?: boolean;
  readonly freezeOn?: 'warning';
  /** Attach by this method only. */
  readonly attach?: 'kprobe';
}

const FAULT_AFTER = ['--fault-after', '300'];
/** Small enough that a fault in the middle of FILL comes to light soon. */
const RING = ['--ring-size', '128'];
/** Room for two seconds of packets: an emulated machine's forwarder may not run for that long. */
const LARGE_RING = ['--ring-size', '2048'];

function fault(
  name: string,
  about: string,
  expects: readonly string[],
  more: Partial<Scenario> = {},
): Scenario {
  return {
    name,
    about,
    workload: 'forwarder',
    words: [...RING, '--fault', name, ...FAULT_AFTER],
    packets: 1500,
    rate: 1500,
    expects,
    // An emulated machine may keep the application from its rings for so long that packets are dropped.
    mayExpect: ['xsk.starvation'],
    ...more,
  };
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'healthy',
    about: 'forwards between two namespaces and two queues each, and does nothing wrong',
    workload: 'forwarder',
    words: LARGE_RING,
    packets: 14_000,
    rate: 2000,
    expects: [],
  },
  {
    name: 'healthy-kprobe',
    about: 'the same, recorded by kprobes alone',
    workload: 'forwarder',
    words: LARGE_RING,
    packets: 1500,
    rate: 1000,
    attach: 'kprobe',
    expects: [],
  },
  fault('double-fill', 'puts one frame into its FILL ring twice', ['xsk.double-enqueue', 'xsk.ownership']),
  fault('double-fill-other', 'puts one frame into the FILL rings of two queues', [
    'xsk.double-enqueue',
    'xsk.ownership',
  ]),
  fault('fill-while-tx', 'puts a frame into FILL while it waits in TX', [
    'xsk.double-enqueue',
    'xsk.ownership',
  ]),
  fault('comp-skipped', 'puts a frame into TX again before it came back in COMP', [
    'xsk.double-enqueue',
    'xsk.ownership',
  ]),
  fault('rewrite-fill', 'swaps two FILL entries that the kernel was already given', ['xsk.fill-order'], {
    mayExpect: ['xsk.ownership', 'xsk.double-enqueue', 'xsk.starvation'],
  }),
  fault('out-of-bounds', 'puts an address beyond the umem into FILL', ['xsk.descriptor-bounds'], {
    tripwire: true,
  }),
  fault('out-of-bounds-tx', 'puts an address beyond the umem into TX', ['xsk.descriptor-bounds'], {
    tripwire: true,
  }),
  fault('poison', 'puts 0xdeadbeefdeadbeef into FILL', ['xsk.descriptor-bounds'], { tripwire: true }),
  fault(
    'bind-collision',
    'binds the second device with the rings of the first, whose ifindex is the same',
    ['xsk.bind-identity'],
    {
      topology: ['--same-ifindex', '4242'],
      packets: 0,
    },
  ),
  fault('starve', 'stops refilling FILL', ['xsk.starvation'], {
    freezeOn: 'warning',
    packets: 2500,
    rate: 1000,
  }),
  fault('rx-full', 'stops reading RX', ['xsk.starvation'], {
    freezeOn: 'warning',
    packets: 2500,
    rate: 1000,
  }),
  {
    name: 'neigh-healthy',
    about: 'adds, confirms and deletes neighbours',
    workload: 'neigh',
    words: ['healthy'],
    expects: [],
  },
  {
    name: 'neigh-conflict',
    about: 'programs a second MAC for an address that has one',
    workload: 'neigh',
    words: ['conflict'],
    expects: ['neigh.conflict'],
  },
];
