// Forwarding entries of VXLAN devices: healthy ones, and one MAC behind two VTEPs.

import type { Scenario } from '../scenario.ts';

function fault(
  word: string,
  about: string,
  invariant: string,
  says: readonly string[],
  more: Partial<Scenario> = {},
): Scenario {
  return {
    name: `vxlan-${word}`,
    about,
    paths: ['vxlan', 'neigh'],
    modules: ['vxlan', 'veth'],
    workload: 'program',
    words: ['vxlan-fdb.sh', word],
    expects: [invariant],
    says,
    ...more,
  };
}

const scenarios: readonly Scenario[] = [
  {
    name: 'vxlan-healthy',
    about: 'learns a MAC from packets, and programs, moves and deletes another',
    paths: ['vxlan', 'neigh'],
    modules: ['vxlan', 'veth'],
    workload: 'program',
    words: ['vxlan-fdb.sh', 'healthy'],
    expects: [],
  },
  fault('conflict', 'two processes put one MAC behind two VTEPs', 'fdb.conflict', [
    '{mac}',
    'behind {vtep}',
    'behind {other_vtep}',
    '{device}',
  ]),
  fault(
    'moved-away',
    'packets come from another VTEP than their MAC is behind',
    'fdb.conflict',
    ['{mac}', 'came from {vtep}', 'behind {other_vtep}'],
    { freezeOn: 'warning' },
  ),
  fault(
    'flap',
    'moves one MAC to and fro between two VTEPs',
    'fdb.flap',
    ['{mac}', '{vtep}', '{other_vtep}', 'moved 6 times'],
    { freezeOn: 'warning' },
  ),
];

export default scenarios;
