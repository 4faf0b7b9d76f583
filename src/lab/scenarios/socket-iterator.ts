// BPF iterators over sockets, read in pieces while sockets close and open. Before Linux 6.16 the place of an iterator over
// UDP sockets is a count: it skips one when an earlier one goes, and repeats one when another comes in front. The same
// program on a newer kernel is shown each socket once, and nothing fires: `lab run` shows it on one of either.

import type { Scenario } from '../scenario.ts';

const ITERATOR = {
  story: 'socket-iterator',
  paths: ['sockiter'],
  workload: 'program',
} as const satisfies Partial<Scenario>;

const scenarios: readonly Scenario[] = [
  {
    ...ITERATOR,
    name: 'socket-iterator-udp-healthy',
    about: 'walks UDP sockets in small reads, while only sockets that it may miss come and go',
    words: ['socket-iterator', 'udp', 'healthy'],
    expects: [],
    kernels: ['6.1'],
  },
  {
    ...ITERATOR,
    name: 'socket-iterator-tcp-healthy',
    about: 'walks TCP sockets in small reads: listening, connected and in TIME_WAIT',
    words: ['socket-iterator', 'tcp', 'healthy'],
    expects: [],
    kernels: ['6.1'],
  },
  {
    ...ITERATOR,
    name: 'socket-iterator-skip',
    about: 'closes a socket that the iterator has shown, between two reads',
    words: ['socket-iterator', 'udp', 'close'],
    expects: ['sockiter.skipped'],
    expectsBelow: '6.16',
    kernels: ['6.1', 'newest'],
    says: ['cookie {cookie}', 'port {port}', 'thread {changed_by} of process {process}', 'cookie {changed}'],
  },
  {
    ...ITERATOR,
    name: 'socket-iterator-repeat',
    about: 'opens a socket in the bucket that the iterator is in, between two reads',
    words: ['socket-iterator', 'udp', 'open'],
    expects: ['sockiter.repeated'],
    expectsBelow: '6.16',
    kernels: ['6.1', 'newest'],
    says: ['cookie {cookie}', 'port {port}', 'thread {changed_by} of process {process}', 'cookie {changed}'],
  },
];

export default scenarios;
