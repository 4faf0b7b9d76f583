// AF_XDP: sockets, umems and queues; a frame's way through FILL, RX, TX and COMP; wake-ups and polling.

import type { ProbePath } from '../model/probe.ts';

/** What every look into the shared rings may find (bpf/probes/xsk-look.bpf.h). */
const LOOK = [
  'xsk_rx_consume',
  'xsk_comp_submit',
  'xsk_comp_consume',
  'xsk_fill_submit',
  'xsk_tx_submit',
] as const;

const SEEN_BY_TIMER = { 0x0200: 'seen-by-timer' } as const;

const path: ProbePath = {
  path: 'xsk',
  title: 'AF_XDP sockets, rings and frames',
  probes: [
    {
      name: 'xsk_create',
      target: 'xsk_create',
      writes: ['xsk_socket_create'],
      purpose: 'when a socket was made and by whom',
    },
    {
      name: 'xsk_umem',
      target: 'xdp_umem_create',
      writes: ['xsk_umem_register'],
      purpose: 'when a umem was registered, with its size and flags',
    },
    {
      name: 'xsk_bind',
      target: 'xsk_bind',
      writes: ['xsk_bind', ...LOOK],
      purpose: 'binds, their device, queue and flags, and why one failed',
    },
    {
      name: 'xsk_release',
      target: 'xsk_release',
      writes: ['xsk_release', ...LOOK],
      purpose: 'when a socket was closed',
    },
    {
      name: 'xsk_pool_made',
      target: 'xp_create_and_assign_umem',
      writes: [],
      purpose: 'a queue whose memory is used again is not taken for the one before',
    },
    {
      name: 'xsk_pool_gone',
      target: 'xp_destroy',
      writes: [],
      purpose:
        'when a queue is given up: one reused by the kernel at the same place in memory would be taken for it',
    },
    {
      name: 'xsk_poll',
      target: 'xsk_poll',
      writes: ['xsk_wakeup', ...LOOK],
      purpose: 'wake-ups by poll, and what the application had put into its rings by then',
    },
    {
      name: 'xsk_sendmsg',
      target: 'xsk_sendmsg',
      writes: ['xsk_wakeup', ...LOOK],
      purpose: 'wake-ups by sendto, and what the application had put into its rings by then',
    },
    {
      name: 'xsk_recvmsg',
      target: 'xsk_recvmsg',
      writes: ['xsk_wakeup', ...LOOK],
      purpose: 'wake-ups by recvfrom, and what the application had put into its rings by then',
    },
    {
      name: 'xsk_map_redirect',
      target: '__xsk_map_redirect',
      writes: ['xsk_redirect', ...LOOK],
      purpose: 'packets that XDP redirected to a socket; which NAPI context polls which queue',
    },
    {
      name: 'xsk_generic_rcv',
      target: 'xsk_generic_rcv',
      writes: ['xsk_redirect', ...LOOK],
      purpose: 'packets that generic XDP (SKB mode) redirected to a socket',
    },
    {
      name: 'xsk_alloc',
      target: 'xp_alloc',
      writes: ['xsk_fill_take', 'xsk_drop', 'xsk_fill_submit'],
      purpose: 'frames that the kernel took from FILL, and drops because FILL was empty',
    },
    {
      name: 'xsk_pool_assigned',
      target: 'xsk_reg_pool_at_qid',
      writes: [],
      purpose: 'what a zero-copy driver takes from FILL while the socket is still being bound',
    },
    {
      name: 'xsk_alloc_batch',
      target: 'xp_alloc_batch',
      writes: ['xsk_fill_take', 'xsk_drop', 'xsk_fill_submit'],
      purpose: 'frames that a zero-copy driver took from FILL, many at once',
    },
    {
      name: 'xsk_rcv_begin',
      target: '__xsk_rcv_zc',
      orElse: 'xsk_copy_begin',
      writes: ['xsk_rx_reserve'],
      purpose: 'the moment a receive reserves its RX entry: without it no publish race can be seen',
    },
    {
      name: 'xsk_rcv_end',
      target: '__xsk_rcv_zc',
      orElse: 'xsk_copy_end',
      writes: ['xsk_rx_write', 'xsk_packet', 'xsk_drop'],
      purpose: 'the moment an RX entry is written, and drops because RX was full',
    },
    {
      name: 'xsk_copy_begin',
      target: '__xsk_rcv',
      writes: ['xsk_rx_reserve'],
      purpose: 'the moment a receive in copy mode reserves its RX entry',
    },
    {
      name: 'xsk_copy_end',
      target: '__xsk_rcv',
      writes: ['xsk_rx_write', 'xsk_packet', 'xsk_drop'],
      purpose: 'the moment an RX entry is written in copy mode, and drops because RX was full',
    },
    {
      name: 'xsk_zc_rcv_begin',
      target: '__xsk_map_redirect',
      unless: 'xsk_rcv_begin',
      writes: ['xsk_rx_reserve'],
      purpose: 'the moment a receive in zero-copy mode reserves its RX entry',
    },
    {
      name: 'xsk_zc_rcv_end',
      target: '__xsk_map_redirect',
      unless: 'xsk_rcv_end',
      writes: ['xsk_rx_write', 'xsk_packet', 'xsk_drop'],
      purpose: 'the moment an RX entry is written in zero-copy mode, and drops because RX was full',
    },
    {
      name: 'xsk_readable',
      target: 'sock_def_readable',
      writes: ['xsk_rx_publish'],
      purpose: 'the moment RX entries become visible to the application: no frame can be followed without it',
    },
    {
      name: 'xsk_xmit',
      target: '__xsk_generic_xmit',
      writes: ['xsk_tx_submit'],
      purpose: 'TX entries of an application that sends without a wake-up of its own',
    },
    {
      name: 'xsk_tx_data',
      target: 'xp_raw_get_data',
      writes: ['xsk_tx_take'],
      purpose: 'the moment the kernel takes a packet from TX (copy mode)',
    },
    {
      name: 'xsk_skb_begin',
      target: 'xsk_destruct_skb',
      writes: ['xsk_comp_begin'],
      purpose:
        'that a completion is under way: without it a frame reused at once may look as if it were still in TX',
    },
    {
      name: 'xsk_skb_end',
      target: 'xsk_destruct_skb',
      writes: ['xsk_comp_submit', 'xsk_comp_consume'],
      purpose: 'sent frames given back in copy mode, at once and not only at the next look',
    },
    {
      name: 'xsk_zc_take',
      target: 'xsk_tx_peek_release_desc_batch',
      writes: ['xsk_tx_take', 'xsk_tx_submit', 'xsk_fill_submit'],
      purpose: 'packets that a zero-copy driver took from TX, many at once and without a wake-up',
    },
    {
      name: 'xsk_zc_peek',
      target: 'xsk_tx_peek_desc',
      writes: ['xsk_tx_take', 'xsk_tx_submit', 'xsk_fill_submit'],
      purpose: 'packets that a zero-copy driver took from TX one by one',
    },
    {
      name: 'xsk_zc_begin',
      target: 'xsk_tx_completed',
      writes: ['xsk_comp_begin'],
      purpose: 'that completions are under way in zero-copy mode',
    },
    {
      name: 'xsk_zc_end',
      target: 'xsk_tx_completed',
      writes: ['xsk_comp_submit', 'xsk_comp_consume'],
      purpose: 'sent frames given back in zero-copy mode',
    },
    {
      name: 'xsk_napi_scheduled',
      target: '__napi_schedule',
      writes: ['xsk_napi_schedule'],
      purpose: 'when polling of a queue was asked for',
    },
    {
      name: 'xsk_napi_poll_begin',
      target: '__napi_poll',
      writes: ['xsk_napi_begin'],
      purpose: 'when polling of a queue began',
    },
    {
      name: 'xsk_napi_poll_end',
      target: '__napi_poll',
      writes: ['xsk_napi_end'],
      purpose: 'when polling of a queue ended, and how many packets it handled',
    },
    {
      name: 'xsk_napi_completed',
      target: 'napi_complete_done',
      writes: ['xsk_napi_complete'],
      purpose: 'from when on another CPU may poll the same queue',
    },
    {
      name: 'xsk_map_flush',
      target: '__xsk_map_flush',
      writes: ['xsk_flush'],
      purpose: 'when the sockets that a poll delivered to were flushed',
    },
    {
      name: 'xsk_look',
      target: 'timer',
      writes: [...LOOK],
      purpose: 'the rings of applications that poll them without ever entering the kernel',
    },
  ],
  kinds: {
    xsk_fill_submit: 'the application put a frame into FILL, some time since the last look',
    xsk_fill_take: 'the kernel took a frame to write a packet into',
    xsk_redirect: 'XDP redirected a packet to the socket',
    xsk_rx_reserve: 'a receive is about to reserve an RX entry',
    xsk_rx_write: "an RX entry is written; the application can't see it yet",
    xsk_packet: 'the first bytes of the packet just written to RX, because they were asked for',
    xsk_comp_begin: 'sent frames are about to be given back in COMP',
    xsk_rx_publish: 'an RX entry became visible to the application',
    xsk_rx_consume: 'the application released RX entries, some time since the last look',
    xsk_drop: 'packets or frames were dropped',
    xsk_tx_submit: 'the application put a packet into TX, some time since the last look',
    xsk_tx_take: 'the kernel took a packet from TX and sends it',
    xsk_comp_submit: 'the kernel gave a sent frame back in COMP',
    xsk_comp_consume: 'the application released COMP entries, some time since the last look',
    xsk_wakeup: 'the application entered the kernel to be served',
    xsk_socket_create: 'a socket was made',
    xsk_umem_register: 'a umem was registered',
    xsk_bind: 'a socket was bound to a queue, or the bind failed',
    xsk_release: 'a socket was closed',
    xsk_napi_schedule: "polling of the queue's NAPI context was asked for",
    xsk_napi_begin: "polling of the queue's NAPI context began",
    xsk_napi_end: "polling of the queue's NAPI context ended",
    xsk_napi_complete: 'polling is complete: if so, another CPU may poll from now on',
    xsk_flush: "all sockets that this CPU's poll delivered to are flushed",
  },
  words: {
    'xsk_drop.reason': { 1: 'rx-full', 2: 'fill-empty', 3: 'fill-entry-invalid' },
    'xsk_wakeup.reason': { 1: 'sendto', 2: 'recvfrom', 3: 'poll' },
    'xsk_napi_complete.completed': { 0: 'no', 1: 'yes' },
    'xsk_bind.shared_fd': { [-1]: 'none' },
    // include/uapi/linux/if_xdp.h; fields of type `bits` name their bits.
    'xsk_bind.bind_flags': { 1: 'shared-umem', 2: 'copy', 4: 'zerocopy', 8: 'need-wakeup', 16: 'sg' },
    'xsk_bind.has': { 1: 'rx', 2: 'tx', 4: 'fill', 8: 'comp', 16: 'umem' },
    'xsk_umem_register.umem_flags': { 1: 'unaligned', 2: 'tx-sw-csum', 4: 'tx-metadata-len' },
  },
  flags: {
    xsk_fill_take: { 0x0100: 'from-free-list' },
    xsk_fill_submit: SEEN_BY_TIMER,
    xsk_rx_consume: SEEN_BY_TIMER,
    xsk_tx_submit: SEEN_BY_TIMER,
    xsk_comp_submit: SEEN_BY_TIMER,
    xsk_comp_consume: SEEN_BY_TIMER,
  },
};

export default path;
