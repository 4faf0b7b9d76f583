// Network namespaces: which thread is in which, how it got there, and what it asks of rtnetlink from there.

import type { ProbePath } from '../model/probe.ts';
import { RTM } from './_netlink.ts';

/** include/linux/socket.h: AF_*. */
const FAMILY = {
  0: 'unspec',
  2: 'inet',
  7: 'bridge',
  10: 'inet6',
  15: 'key',
  16: 'netlink',
  17: 'packet',
  40: 'vsock',
  44: 'xdp',
} as const;

const path: ProbePath = {
  path: 'netns',
  title: 'network namespaces, the threads in them and their requests',
  probes: [
    {
      name: 'netns_create',
      target: 'copy_net_ns',
      writes: ['netns_create'],
      purpose: 'when a namespace was made, and by which thread',
    },
    {
      name: 'netns_destroy',
      target: '__put_net',
      writes: ['netns_destroy'],
      purpose: 'when a namespace lost its last user: without it a reused inode number is known later',
    },
    {
      name: 'netns_enter',
      target: 'switch_task_namespaces',
      writes: ['netns_enter'],
      purpose: 'which thread went from which namespace to which, by setns or unshare',
    },
    {
      name: 'netns_fork',
      target: 'sched_process_fork',
      writes: ['netns_fork'],
      purpose: 'in which namespace a thread or process was made, and by whom',
    },
    {
      name: 'netns_exec',
      target: 'sched_process_exec',
      writes: ['netns_exec'],
      purpose: 'that a process began anew in the namespace it is in (ip netns exec, nsenter)',
    },
    {
      name: 'netns_thread_exit',
      target: 'sched_process_exit',
      writes: ['netns_thread_exit'],
      purpose: 'threads that end in a namespace that is not their own',
    },
    {
      name: 'netns_socket',
      target: 'sk_alloc',
      writes: ['netns_socket'],
      purpose: "sockets made elsewhere than in the process's own namespace",
    },
    {
      name: 'netns_netlink_socket',
      target: 'netlink_create',
      writes: ['netns_socket'],
      purpose: 'netlink sockets, the namespaces they act in, and their protocols',
    },
    {
      name: 'netns_request',
      target: 'rtnetlink_rcv_msg',
      writes: ['netns_request'],
      purpose: 'rtnetlink requests, where they were sent from, and what came of them',
    },
  ],
  snapshot: [
    {
      kind: 'netns_exists',
      key: ['netns'],
      madeBy: { netns_create: { inum: 'inum' } },
      changedBy: {},
      endedBy: ['netns_destroy'],
    },
    // Its key is the thread of its head: no field, so that nothing can be rolled forward.
    { kind: 'netns_task_exists', key: [], madeBy: {}, changedBy: {}, endedBy: [] },
  ],
  kinds: {
    netns_create: 'a namespace was made, by unshare or clone of this thread',
    netns_destroy: 'the last user of a namespace is gone; its inode number will be given out again',
    netns_enter: 'this thread went from a namespace to another: setns, or unshare if it has just made it',
    netns_fork: 'this thread made a thread or process, which begins in that namespace',
    netns_exec: 'this thread runs another program, as the only thread of its process',
    netns_thread_exit: 'this thread ended in that namespace',
    netns_socket: 'this thread made a socket',
    netns_request: 'rtnetlink handled a request of this thread, in the namespace of its socket',
    netns_exists: 'a namespace that was there when the recorder started',
    netns_task_exists: 'a thread that was there when the recorder started, and the namespace it was in',
  },
  words: {
    'netns_request.request': RTM,
    'netns_request.request_family': FAMILY,
    'netns_socket.family': FAMILY,
    // include/uapi/linux/netlink.h: NETLINK_*.
    'netns_socket.netlink': {
      0: 'route',
      4: 'sock_diag',
      6: 'xfrm',
      9: 'audit',
      12: 'netfilter',
      15: 'uevent',
      16: 'generic',
      0xffff: 'none',
    },
    'netns_thread_exit.threads': { 0: 'the process ends' },
  },
  flags: {},
};

export default path;
