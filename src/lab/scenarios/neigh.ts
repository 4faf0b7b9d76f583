// Neighbour entries: healthy churn, and an address that is given a second MAC.

import type { Scenario } from '../scenario.ts';

const scenarios: readonly Scenario[] = [
  {
    name: 'neigh-healthy',
    about: 'adds, confirms and deletes neighbours',
    paths: ['neigh'],
    workload: 'program',
    words: ['neigh-churn.sh', 'healthy'],
    expects: [],
  },
  {
    name: 'neigh-conflict',
    about: 'programs a second MAC for an address that has one',
    paths: ['neigh'],
    workload: 'program',
    words: ['neigh-churn.sh', 'conflict'],
    expects: ['neigh.conflict'],
    says: ['{ip}', '{mac}', '{other_mac}'],
  },
  {
    name: 'neigh-conflict-before',
    about: 'programs a second MAC for an address that had one before recording began',
    paths: ['neigh'],
    workload: 'program',
    before: ['neigh-before.sh', 'up'],
    words: ['neigh-before.sh', 'overwrite'],
    expects: ['neigh.conflict'],
    says: ['{ip}', '{mac} from before recording', '{other_mac}'],
  },
];

export default scenarios;
