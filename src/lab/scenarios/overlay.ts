// The overlay story: a driver programs two encrypted overlays for two hosts, in health and with each of its defects.

import type { Scenario } from '../scenario.ts';

/** The kernel loads the algorithms themselves, whose modules have other names in every few releases. */
const MODULES = ['vxlan', 'veth', 'xfrm_user', 'esp4', 'authenc', 'crypto_null'];

function overlay(
  word: string,
  about: string,
  expects: readonly string[],
  says: readonly string[],
  more: Partial<Scenario> = {},
): Scenario {
  return {
    name: `overlay-${word}`,
    story: 'overlay',
    about,
    paths: ['xfrm', 'vxlan', 'neigh'],
    modules: MODULES,
    workload: 'program',
    words: ['overlay-driver', word],
    expects,
    ...(says.length > 0 ? { says } : {}),
    ...more,
  };
}

const scenarios: readonly Scenario[] = [
  overlay(
    'healthy',
    'two encrypted overlays: peers come and go, keys are updated, networks deleted and made again',
    [],
    [],
  ),
  overlay(
    'conflict',
    'an address is used again with another MAC before the old peer is forgotten, and nobody sees the conflict',
    ['neigh.conflict', 'neigh.not-reprogrammed'],
    ['{ip}', '{mac}', '{other_mac}', 'EEXIST', 'was not programmed in its place'],
    { afterMs: 5000 },
  ),
  overlay(
    'shared-mac',
    'the forwarding entry of a MAC is deleted with the first of two addresses behind it',
    ['fdb.orphaned-neighbour'],
    ['{mac}', '{ip}', '{vtep}', '{device}'],
  ),
  overlay(
    'delete-race',
    'a network is deleted and made again while another thread programs a peer of it',
    ['vxlan.create-delete-race'],
    ['VNI {vni}', '{device}'],
  ),
  overlay(
    'leak',
    'setting up a network fails after its device was moved into the sandbox, and the device is left behind',
    ['vxlan.vni-leak'],
    ['VNI {vni}', '{device}'],
    { freezeOn: 'warning' },
  ),
  overlay(
    'shared-encryption',
    'the encryption between two hosts is deleted with one of two encrypted networks, and the other sends on',
    ['xfrm.in-use-delete', 'xfrm.cleartext'],
    ['VNI {vni}', '{local}', '{vtep}', 'in the clear'],
    { afterMs: 3000 },
  ),
  overlay(
    'key-race',
    'keys are updated while the first peer behind a VTEP is programmed',
    ['xfrm.rotation-race'],
    ['{vtep}'],
    // The policy may be told when the next scenario has begun.
    { mayExpect: ['xfrm.dangling-policy'], alone: true },
  ),
  overlay(
    'self-encryption',
    'the host advertises another of its addresses, and programs encryption toward the one it had',
    ['xfrm.self'],
    ['{self}', '{local}', 'a host does not encrypt to itself'],
    { paths: ['xfrm', 'vxlan', 'neigh', 'link'], modules: [...MODULES, 'bridge'] },
  ),
];

export default scenarios;
