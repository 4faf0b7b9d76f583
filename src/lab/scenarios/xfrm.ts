// IPsec between VTEPs: an encrypted overlay in health, and each of its faults.

import type { Scenario } from '../scenario.ts';

/** The kernel loads the algorithms by itself: the null cipher and hmac(sha1), which need no random numbers. */
const MODULES = ['vxlan', 'esp4', 'xfrm_user'];

function scenario(
  name: string,
  about: string,
  expects: readonly string[],
  more: Partial<Scenario>,
): Scenario {
  return {
    name: `xfrm-${name}`,
    story: 'overlay',
    about,
    paths: ['xfrm'],
    modules: MODULES,
    workload: 'program',
    words: ['xfrm-churn.sh', name],
    expects,
    ...more,
  };
}

const scenarios: readonly Scenario[] = [
  scenario(
    'healthy',
    'encrypts one overlay of two, told apart by marks, changes its keys and takes the peer away in order',
    [],
    { paths: ['xfrm', 'vxlan', 'link'] },
  ),
  scenario(
    'drops',
    'gets and sends packets that IPsec must drop, each for another reason: nothing of what is programmed is wrong',
    [],
    { modules: ['veth', 'esp4', 'xfrm_user'], words: ['xfrm-drops.sh'] },
  ),
  scenario(
    'cleartext',
    'deletes the policy and SA of an overlay in use, and goes on sending',
    ['xfrm.cleartext'],
    {
      paths: ['xfrm', 'vxlan'],
      mayExpect: ['xfrm.in-use-delete'],
      // A packet that leaves in the clear comes after the deletion that is told first.
      afterMs: 3000,
      says: ['VNI {vni}', '{src}', '{dst}', '{spi}', 'in the clear', 'was deleted by thread'],
    },
  ),
  scenario('dangling-policy', 'points a policy at an SPI that no state has', ['xfrm.dangling-policy'], {
    says: ['SPI {spi}', '{dst}', 'from thread'],
  }),
  scenario('rotation-race', 'changes one peer’s states by two threads at once', ['xfrm.rotation-race'], {
    says: ['{src}', '{dst}', 'thread {first}', 'thread {second}'],
    mayExpect: ['xfrm.double'],
  }),
  scenario('double', 'adds an SA twice and deletes one that is not there', ['xfrm.double'], {
    says: ['{spi}', '{dst}', 'exists already from thread'],
  }),
  scenario(
    'in-use-delete',
    'deletes the last SA for a VTEP that two overlays still point at',
    ['xfrm.in-use-delete'],
    {
      paths: ['xfrm', 'vxlan'],
      says: ['{spi}', 'VTEP {dst}', 'VNI {vni}', 'thread'],
    },
  ),
  scenario('self', 'programs an SA whose two ends are its own address', ['xfrm.self'], {
    paths: ['xfrm', 'link'],
    says: ['{spi}', '{src} is local', 'thread'],
  }),
];

export default scenarios;
