// A healthy day in miniature: all paths at once, with nothing wrong.

import type { Scenario } from '../scenario.ts';

const scenarios: readonly Scenario[] = [
  {
    name: 'churn',
    about:
      'a healthy day in miniature on all paths: namespaces, neighbours, overlays, rekeying, sandboxes, iterators and AF_XDP; inode numbers of namespaces come round, and warnings say so',
    paths: ['xsk', 'neigh', 'vxlan', 'xfrm', 'link', 'netns', 'sockiter'],
    workload: 'program',
    modules: ['veth', 'bridge', 'vxlan', 'xfrm_user', 'esp4', 'authenc', 'crypto_null'],
    words: ['churn.sh'],
    // What `npm run churn` raises: neighbours.
    packets: 1000,
    expects: [],
    mayExpect: ['netns.reused-inode'],
  },
];

export default scenarios;
