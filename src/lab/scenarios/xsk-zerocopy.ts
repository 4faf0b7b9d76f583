// AF_XDP without copying, which veth has not: the forwarder between network cards, in health and with its faults.

import type { Scenario } from '../scenario.ts';

/** The cards have one queue each. */
const WORDS = ['--zerocopy', '--need-wakeup', '--queues', '1', '--ring-size', '2048'];

function zerocopy(name: string, about: string, more: Partial<Scenario>): Scenario {
  return {
    name: `xsk-zerocopy-${name}`,
    story: 'xsk-zerocopy',
    about,
    paths: ['xsk', 'neigh'],
    workload: 'forwarder',
    wires: 2,
    modules: ['virtio_net'],
    since: '6.13',
    kernels: ['newest'],
    words: WORDS,
    packets: 1500,
    rate: 500,
    expects: [],
    ...more,
  };
}

function fault(name: string, about: string): Scenario {
  return zerocopy(name, about, {
    words: [...WORDS, '--fault', name, '--fault-after', '300'],
    expects: ['xsk.double-enqueue', 'xsk.ownership'],
    // An emulated machine may keep the application from its rings for so long that packets are dropped.
    mayExpect: ['xsk.starvation'],
  });
}

const scenarios: readonly Scenario[] = [
  zerocopy(
    'healthy',
    'the driver receives into the frames of the umem and sends out of them: nothing is wrong',
    { window: 256 },
  ),
  fault('double-fill', 'puts one frame into its FILL ring twice'),
  fault('fill-while-tx', 'puts a frame into FILL while the card has it to send'),
  fault('comp-skipped', 'puts a frame into TX again before it came back in COMP'),
];

export default scenarios;
