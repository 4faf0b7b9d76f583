// AF_XDP: the forwarder in health, and each of its faults.

import type { Scenario } from '../scenario.ts';

const FAULT_AFTER = ['--fault-after', '300'];
/** Small enough that a fault in the middle of FILL comes to light soon. */
const RING = ['--ring-size', '128'];
/** Room for two seconds of packets, of which the sender leaves most unused: an emulated forwarder may not run for longer. */
const LARGE_RING = ['--ring-size', '2048'];
const WINDOW = 512;

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
    paths: ['xsk', 'neigh'],
    words: [...RING, '--fault', name, ...FAULT_AFTER],
    packets: 1500,
    rate: 1500,
    expects,
    // An emulated machine may keep the application from its rings for so long that packets are dropped.
    mayExpect: ['xsk.starvation'],
    ...more,
  };
}

const scenarios: readonly Scenario[] = [
  {
    name: 'healthy',
    about: 'forwards between two namespaces and two queues each, and does nothing wrong',
    workload: 'forwarder',
    paths: ['xsk', 'neigh'],
    words: LARGE_RING,
    window: WINDOW,
    packets: 14_000,
    rate: 2000,
    // Of 28 000 events a second an emulated checker, whose code is yet to be compiled, takes none for some seconds.
    lastEvents: 262_144,
    expects: [],
  },
  {
    name: 'healthy-kprobe',
    about: 'the same, recorded by kprobes alone',
    workload: 'forwarder',
    paths: ['xsk', 'neigh'],
    words: LARGE_RING,
    window: WINDOW,
    packets: 1500,
    rate: 1000,
    attach: 'kprobe',
    expects: [],
  },
  {
    name: 'healthy-generic',
    about: 'the same by generic XDP, asking by recvfrom in the place of poll',
    workload: 'forwarder',
    paths: ['xsk', 'neigh'],
    words: [...LARGE_RING, '--xdp-mode', 'skb', '--recv'],
    window: WINDOW,
    packets: 1000,
    rate: 1000,
    expects: [],
  },
  fault('double-fill', 'puts one frame into its FILL ring twice', ['xsk.double-enqueue', 'xsk.ownership']),
  fault(
    'double-fill-packets',
    'the same as double-fill, recorded with the first bytes of each packet',
    ['xsk.double-enqueue', 'xsk.ownership'],
    { words: [...RING, '--fault', 'double-fill', ...FAULT_AFTER], snaplen: 64 },
  ),
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
      story: 'xsk-cookie',
      topology: ['--same-ifindex', '4242'],
      packets: 0,
    },
  ),
  {
    name: 'bind-same-ifindex',
    story: 'xsk-cookie',
    about:
      'binds both devices, whose ifindex is the same, each with rings of its own: it works; a warning says that only the cookie tells them apart',
    workload: 'forwarder',
    paths: ['xsk', 'neigh'],
    topology: ['--same-ifindex', '4242'],
    words: LARGE_RING,
    window: WINDOW,
    packets: 600,
    rate: 600,
    expects: [],
    mayExpect: ['xsk.bind-identity'],
  },
  {
    name: 'xsk-race',
    story: 'xsk-race',
    about:
      "receives while each queue's polling moves from CPU to CPU: healthy, for this kernel flushes before it completes a poll; the race of one that doesn't is derived from this run's recording, not seen (docs/publish-race.md)",
    workload: 'forwarder',
    paths: ['xsk', 'neigh'],
    words: LARGE_RING,
    window: WINDOW,
    packets: 1500,
    rate: 500,
    beside: ['napi-roam', '30000', 'udp-traffic', 'xsk-forwarder'],
    keep: true,
    expects: [],
  },
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
];

export default scenarios;
