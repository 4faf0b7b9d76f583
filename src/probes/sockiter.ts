// BPF iterators over TCP and UDP sockets: what each was given to show, and which sockets came and went meanwhile.

import type { ProbePath } from '../model/probe.ts';

/** include/net/tcp_states.h. */
const TCP_STATE = {
  1: 'ESTABLISHED',
  2: 'SYN_SENT',
  3: 'SYN_RECV',
  4: 'FIN_WAIT1',
  5: 'FIN_WAIT2',
  6: 'TIME_WAIT',
  7: 'CLOSE',
  8: 'CLOSE_WAIT',
  9: 'LAST_ACK',
  10: 'LISTEN',
  11: 'CLOSING',
} as const;

const MOVED = { 0x0100: 'to-another-bucket' } as const;

const path: ProbePath = {
  path: 'sockiter',
  title: 'BPF iterators over TCP and UDP sockets',
  probes: [
    {
      name: 'sockiter_start',
      target: 'bpf_seq_read',
      writes: ['sockiter_start'],
      purpose: 'when an iterator was read, and from which position on',
    },
    {
      name: 'sockiter_udp_show',
      target: 'bpf_iter_udp_seq_show',
      writes: ['sockiter_show'],
      purpose: 'which UDP sockets an iterator showed',
    },
    {
      name: 'sockiter_tcp_show',
      target: 'bpf_iter_tcp_seq_show',
      writes: ['sockiter_show'],
      purpose: 'which TCP sockets an iterator showed',
    },
    {
      name: 'sockiter_udp_stop',
      target: 'bpf_iter_udp_seq_stop',
      writes: ['sockiter_stop'],
      purpose: 'which UDP socket was to be shown next when a read ended',
    },
    {
      name: 'sockiter_tcp_stop',
      target: 'bpf_iter_tcp_seq_stop',
      writes: ['sockiter_stop'],
      purpose: 'which TCP socket was to be shown next when a read ended',
    },
    {
      name: 'sockiter_end',
      target: 'bpf_seq_read',
      writes: ['sockiter_end'],
      purpose: 'whether an iterator was read to its end',
    },
    {
      name: 'sockiter_release',
      target: 'iter_release',
      writes: ['sockiter_release'],
      purpose: 'when an iterator was closed',
    },
    {
      name: 'sockiter_udp_hash',
      target: 'udp_lib_get_port',
      writes: ['sockiter_hash'],
      purpose: 'when a UDP socket got its port',
    },
    {
      name: 'sockiter_udp_unhash',
      target: 'udp_lib_unhash',
      writes: ['sockiter_unhash'],
      purpose: 'when a UDP socket was closed or disconnected',
    },
    {
      name: 'sockiter_udp_leave',
      target: 'udp_lib_rehash',
      writes: ['sockiter_unhash'],
      purpose: 'when a UDP socket left its bucket because its address changed',
    },
    {
      name: 'sockiter_udp_arrive',
      target: 'udp_lib_rehash',
      writes: ['sockiter_hash'],
      purpose: 'when a UDP socket had reached another bucket',
    },
    {
      name: 'sockiter_tcp_listen',
      target: 'inet_csk_listen_start',
      writes: ['sockiter_hash'],
      purpose: 'when a TCP socket began to listen',
    },
    {
      name: 'sockiter_tcp_connect',
      target: '__inet_hash_connect',
      writes: ['sockiter_hash'],
      purpose: 'when a TCP socket was connected',
    },
    {
      name: 'sockiter_tcp_accept',
      target: 'inet_ehash_nolisten',
      writes: ['sockiter_hash'],
      purpose: 'when a TCP connection was accepted by the kernel',
    },
    {
      name: 'sockiter_tcp_unhash',
      target: 'inet_unhash',
      writes: ['sockiter_unhash'],
      purpose: 'when a TCP socket was closed',
    },
    {
      name: 'sockiter_tcp_leave',
      target: 'tcp_time_wait',
      writes: ['sockiter_unhash'],
      purpose: 'when a TCP socket gave its place to one in TIME_WAIT',
    },
    {
      name: 'sockiter_timewait',
      target: 'inet_twsk_hashdance',
      orElse: 'sockiter_timewait_schedule',
      writes: ['sockiter_hash'],
      purpose: 'when a TCP socket in TIME_WAIT came to be',
    },
    {
      name: 'sockiter_timewait_schedule',
      target: 'inet_twsk_hashdance_schedule',
      writes: ['sockiter_hash'],
      purpose: 'when a TCP socket in TIME_WAIT came to be',
    },
    {
      name: 'sockiter_timewait_end',
      target: 'inet_twsk_kill',
      writes: ['sockiter_unhash'],
      purpose: 'when a TCP socket in TIME_WAIT went away',
    },
  ],
  snapshot: [
    {
      kind: 'sockiter_socket_exists',
      key: ['netns', 'proto', 'cookie'],
      madeBy: { sockiter_hash: {} },
      changedBy: {},
      endedBy: ['sockiter_unhash'],
    },
  ],
  kinds: {
    sockiter_start: 'a read of an iterator begins, at this position',
    sockiter_show: "the iterator's program was given a socket",
    sockiter_stop: 'a read of an iterator leaves the sockets; this one would have been next',
    sockiter_end: 'an iterator was read to its end',
    sockiter_release: 'an iterator was closed',
    sockiter_hash: 'a socket was put into its hash table',
    sockiter_unhash: 'a socket is taken out of its hash table',
    sockiter_socket_exists: 'a socket was there when the recorder started',
  },
  words: {
    family: { 2: 'inet', 10: 'inet6' },
    proto: { 6: 'tcp', 17: 'udp' },
    tcp_state: TCP_STATE,
    phase: { 0: 'listening', 1: 'established' },
    'sockiter_stop.next': { 0: 'none' },
  },
  flags: {
    sockiter_start: { 0x0100: 'first' },
    sockiter_show: { 0x0100: 'to-be-repeated' },
    sockiter_hash: MOVED,
    sockiter_unhash: MOVED,
  },
};

export default path;
