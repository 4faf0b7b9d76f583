// IPsec: states, policies and requests for them, what they did to packets, and VXLAN packets that left in the clear.

import type { ProbePath } from '../model/probe.ts';

const DIRECTION = { 0: 'in', 1: 'out', 2: 'forward' } as const;
/** include/uapi/linux/xfrm.h: XFRM_MODE_*. */
const MODE = { 0: 'transport', 1: 'tunnel', 2: 'route-optimization', 3: 'in-trigger', 4: 'beet' } as const;
/** bpf/probes/xfrm-records.bpf.h: XFRM_CAUSE_*. */
const CAUSE = { 0: 'kernel', 1: 'request', 2: 'replaced', 3: 'flush', 4: 'expired' } as const;
const PROTO = { 0: 'any', 6: 'tcp', 17: 'udp', 50: 'esp', 51: 'ah', 58: 'icmpv6', 108: 'comp' } as const;

const path: ProbePath = {
  path: 'xfrm',
  title: 'IPsec states and policies (xfrm), and VXLAN packets in the clear',
  probes: [
    {
      name: 'xfrm_request_begin',
      target: 'xfrm_user_rcv_msg',
      writes: [],
      purpose: 'which netlink port asked for a change, and whether a state was replaced or deleted',
    },
    {
      name: 'xfrm_request',
      target: 'xfrm_user_rcv_msg',
      writes: ['xfrm_request'],
      purpose: 'requests that were refused: deletes of what is not there',
    },
    {
      name: 'xfrm_state_add',
      target: 'xfrm_state_add',
      writes: ['xfrm_state_add'],
      purpose: 'new states (SAs), and adds of what exists already',
    },
    {
      name: 'xfrm_state_update',
      target: 'xfrm_state_update',
      writes: ['xfrm_state_update'],
      purpose: 'updates of states',
    },
    {
      name: 'xfrm_state_delete',
      target: '__xfrm_state_delete',
      writes: ['xfrm_state_delete', 'xfrm_traffic'],
      purpose: 'when a state ended, and whether by request, flush or expiry',
    },
    {
      name: 'xfrm_state_flush',
      target: 'xfrm_state_flush',
      writes: ['xfrm_state_flush'],
      purpose: 'flushes of all states',
    },
    {
      name: 'xfrm_policy_add',
      target: 'xfrm_policy_insert',
      writes: ['xfrm_policy_add'],
      purpose: 'new policies, and adds of what exists already',
    },
    {
      name: 'xfrm_policy_delete',
      target: 'xfrm_policy_kill',
      writes: ['xfrm_policy_delete'],
      purpose: 'when a policy ended, and by whom',
    },
    {
      name: 'xfrm_policy_flush',
      target: 'xfrm_policy_flush',
      writes: ['xfrm_policy_flush'],
      purpose: 'flushes of all policies',
    },
    {
      name: 'xfrm_output',
      target: 'xfrm_output',
      writes: ['xfrm_traffic'],
      purpose: 'packets that were encrypted, and of which VNIs',
    },
    {
      name: 'xfrm_input',
      target: 'xfrm_replay_advance',
      writes: ['xfrm_traffic'],
      purpose: 'packets that were received and authenticated',
    },
    {
      name: 'xfrm_drop_no_state',
      target: 'xfrm_audit_state_notfound',
      writes: ['xfrm_drop'],
      purpose: 'packets of an SPI that no state has (XfrmInNoStates)',
    },
    {
      name: 'xfrm_drop_no_spi',
      target: 'xfrm_audit_state_notfound_simple',
      writes: ['xfrm_drop'],
      purpose: 'packets that name no SPI and have no state',
    },
    {
      name: 'xfrm_drop_replay',
      target: 'xfrm_audit_state_replay',
      writes: ['xfrm_drop'],
      purpose: 'packets that were received before',
    },
    {
      name: 'xfrm_drop_icv',
      target: 'xfrm_audit_state_icvfail',
      writes: ['xfrm_drop'],
      purpose: 'packets that were not authentic: the keys of the two ends differ',
    },
    {
      name: 'xfrm_drop_overflow',
      target: 'xfrm_audit_state_replay_overflow',
      writes: ['xfrm_drop'],
      purpose: 'states that have no sequence numbers left',
    },
    {
      name: 'xfrm_drop_policy',
      target: '__xfrm_policy_check',
      writes: ['xfrm_drop'],
      purpose: 'received packets that a policy refused',
    },
    {
      name: 'xfrm_drop_lookup',
      target: 'xfrm_lookup_with_ifid',
      writes: ['xfrm_drop'],
      purpose: 'packets that could not be sent because a policy wants a state that is not there',
    },
    {
      name: 'xfrm_wire',
      target: 'net_dev_start_xmit',
      writes: ['xfrm_wire'],
      purpose: 'VXLAN packets that leave in the clear',
    },
  ],
  snapshot: [
    {
      kind: 'xfrm_state_exists',
      key: ['netns', 'daddr', 'spi', 'proto', 'mark', 'mark_mask'],
      madeBy: { xfrm_state_add: {} },
      changedBy: { xfrm_state_update: {} },
      endedBy: ['xfrm_state_delete'],
    },
    {
      kind: 'xfrm_policy_exists',
      key: ['netns', 'index'],
      madeBy: { xfrm_policy_add: {} },
      changedBy: {},
      endedBy: ['xfrm_policy_delete'],
    },
  ],
  kinds: {
    xfrm_state_exists: 'a state (SA) was there when the recording began',
    xfrm_state_add: 'a state (SA) was added, or refused',
    xfrm_state_update: 'a state was updated, or not',
    xfrm_state_delete: 'a state ends',
    xfrm_state_flush: 'all states of a protocol were flushed',
    xfrm_policy_exists: 'a policy was there when the recording began',
    xfrm_policy_add: 'a policy was added, or took the place of another, or was refused',
    xfrm_policy_delete: 'a policy ends',
    xfrm_policy_flush: 'all policies were flushed',
    xfrm_request: 'a netlink request to change states or policies was answered',
    xfrm_drop: 'packets were not let through; told at the first and then once a second',
    xfrm_traffic: 'packets a state was applied to; told at the first and then once a second',
    xfrm_wire: 'VXLAN packets left in the clear; told at the first and then once a second',
  },
  words: {
    family: { 2: 'inet', 10: 'inet6' },
    direction: DIRECTION,
    mode: MODE,
    cause: CAUSE,
    proto: PROTO,
    sel_proto: PROTO,
    portid: { 0: 'kernel' },
    // include/net/xfrm.h: XFRM_STATE_*.
    state: { 0: 'void', 1: 'acquiring', 2: 'valid', 3: 'error', 4: 'expired', 5: 'dead' },
    action: { 0: 'allow', 1: 'block' },
    has_vni: { 0: 'no', 1: 'yes' },
    'xfrm_request.direction': { ...DIRECTION, 255: 'none' },
    // include/uapi/linux/xfrm.h: XFRM_MSG_*.
    'xfrm_request.request': {
      0x10: 'add-state',
      0x11: 'delete-state',
      0x13: 'add-policy',
      0x14: 'delete-policy',
      0x16: 'allocate-spi',
      0x19: 'update-policy',
      0x1a: 'update-state',
      0x1c: 'flush-states',
      0x1d: 'flush-policies',
    },
    // bpf/probes/xfrm-records.bpf.h: XFRM_REASON_*; the counters of /proc/net/xfrm_stat.
    'xfrm_drop.reason': {
      1: 'no-state-for-spi (XfrmInNoStates)',
      2: 'replayed (XfrmInStateSeqError)',
      3: 'not-authentic (XfrmInStateProtoError)',
      4: 'policy-refuses (XfrmInNoPols, XfrmInPolBlock or XfrmInTmplMismatch)',
      5: 'sequence-overflow (XfrmOutStateSeqError)',
      6: 'lookup-failed (XfrmOutNoStates or XfrmOutPolBlock)',
    },
  },
  flags: {},
};

export default path;
