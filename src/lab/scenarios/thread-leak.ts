// Threads and namespaces: a thread left behind in a container's namespace, what else goes wrong on such visits, and what doesn't.

import type { Scenario } from '../scenario.ts';

const PROGRAM = 'netns-threads';

function visit(
  name: string,
  mode: string,
  about: string,
  more: Partial<Scenario> & Pick<Scenario, 'expects'>,
): Scenario {
  return {
    name,
    about,
    paths: ['netns'],
    workload: 'program',
    modules: ['bridge'],
    words: [PROGRAM, mode],
    ...more,
  };
}

const scenarios: readonly Scenario[] = [
  visit(
    'thread-leak',
    'leak',
    "a thread enters a container's namespace, makes a helper thread there and goes back; the helper doesn't find the host's bridge",
    {
      story: 'thread-leak',
      expects: ['netns.leaked-thread'],
      mayExpect: ['netns.foreign-request'],
      says: [
        'thread {helper} of process {process} asked rtnetlink for RTM_GETLINK of {bridge}',
        'ENODEV',
        'thread {worker} cloned it inside netns {netns}, which it had entered from netns {home} and has left since',
      ],
    },
  ),
  visit(
    'thread-leak-healthy',
    'visit',
    'the same visit, but the helper is made before it: the helper finds the bridge',
    { story: 'thread-leak', expects: [], mayExpect: ['netns.reused-inode'] },
  ),
  visit(
    'netns-healthy',
    'healthy',
    'visits, sockets kept across them on purpose, a process that moves for good, ip netns exec, nsenter and unshare; namespaces come and go, and a warning says so when an inode number comes round',
    { expects: [], mayExpect: ['netns.reused-inode'] },
  ),
  visit(
    'netns-foreign-request',
    'ask-inside',
    'a thread made during a visit asks for a link before its creator has gone back',
    {
      expects: ['netns.foreign-request'],
      // Only a warning here: the creator is still there.
      mayExpect: ['netns.leaked-thread'],
      says: [
        'thread {helper} of process {process} sent RTM_GETLINK of {bridge} from netns {netns}',
        "process's own is netns {home}",
        'thread {worker} cloned it',
      ],
    },
  ),
  visit(
    'netns-not-restored',
    'stay',
    "a pool's thread serves its next piece of work without having gone back",
    {
      expects: ['netns.not-restored'],
      says: ['thread {worker} of process {process}', 'RTM_GETLINK of {bridge} in netns {netns}', '{home}'],
    },
  ),
  visit('netns-ended-inside', 'end-inside', 'a thread ends during its visit', {
    // A namespace whose inode number comes round would freeze first.
    alone: true,
    expects: ['netns.not-restored'],
    freezeOn: 'warning',
    says: ['thread {worker} of process {process} ended inside netns {netns}', 'netns {home}'],
  }),
  visit('netns-reused-inode', 'reuse-inode', 'a namespace gets the inode number of a deleted one', {
    // It is told once of each number, and the scenarios before may have used it.
    alone: true,
    expects: ['netns.reused-inode'],
    freezeOn: 'warning',
    says: ['netns {netns}', 'inode number {inode}', 'that of netns {earlier}'],
  }),
];

export default scenarios;
