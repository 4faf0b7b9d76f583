// VXLAN: devices and their VNIs, forwarding entries (MAC to VTEP) with who asked for them, and packets by remote.

import type { ProbePath } from '../model/probe.ts';
import { ENTRY_FLAGS, NLM_FLAGS, STATE_BITS } from './_netlink.ts';

/** And NTF_VXLAN_ADDED_BY_USER of drivers/net/vxlan. */
const FDB_FLAGS = { ...ENTRY_FLAGS, 0x100: 'added-by-user' } as const;

const LEARNED = { 0x0100: 'learned' } as const;

const path: ProbePath = {
  path: 'vxlan',
  title: 'VXLAN devices and forwarding entries',
  probes: [
    {
      name: 'vxlan_device_made',
      target: '__vxlan_dev_create',
      module: 'vxlan',
      writes: ['vxlan_device_add', 'vxlan_device_refused'],
      purpose: 'which device holds which VNI, and since when',
    },
    {
      name: 'vxlan_device_gone',
      target: 'vxlan_uninit',
      module: 'vxlan',
      writes: ['vxlan_device_delete', 'vxlan_packets', 'vxlan_no_remote', 'vxlan_learn_refused'],
      purpose: 'when a device went and its VNI was free again',
    },
    {
      name: 'vxlan_move_begin',
      target: '__dev_change_net_namespace',
      writes: [],
      purpose: 'the namespace that a device was moved out of',
    },
    {
      name: 'vxlan_move_end',
      target: '__dev_change_net_namespace',
      writes: ['vxlan_device_move'],
      purpose: 'the namespace that a device was moved to',
    },
    {
      name: 'vxlan_fdb_changed',
      target: '__vxlan_fdb_notify',
      module: 'vxlan',
      writes: ['vxlan_fdb_update', 'vxlan_fdb_delete'],
      purpose: 'every change of a forwarding entry, whatever caused it',
    },
    {
      name: 'vxlan_flush_begin',
      target: 'vxlan_flush',
      module: 'vxlan',
      writes: ['vxlan_flush'],
      purpose: 'that entries go together, with their device, and not one by one',
    },
    {
      name: 'vxlan_add_begin',
      target: 'rtnl_fdb_add',
      writes: [],
      purpose: 'which netlink port a new or changed forwarding entry comes from',
    },
    {
      name: 'vxlan_del_begin',
      target: 'rtnl_fdb_del',
      writes: [],
      purpose: 'which netlink port had a forwarding entry deleted',
    },
    {
      name: 'vxlan_add_reached',
      target: 'vxlan_fdb_add',
      module: 'vxlan',
      writes: [],
      purpose: 'that a request for a forwarding entry is for a VXLAN device and not a bridge',
    },
    {
      name: 'vxlan_del_reached',
      target: 'vxlan_fdb_delete',
      module: 'vxlan',
      writes: [],
      purpose: 'that a request to delete a forwarding entry is for a VXLAN device and not a bridge',
    },
    {
      name: 'vxlan_add_end',
      target: 'rtnl_fdb_add',
      writes: ['vxlan_fdb_request'],
      purpose: 'requests for forwarding entries that the kernel refused, and why',
    },
    {
      name: 'vxlan_del_end',
      target: 'rtnl_fdb_del',
      writes: ['vxlan_fdb_request'],
      purpose: 'requests to delete forwarding entries that the kernel refused, and why',
    },
    {
      name: 'vxlan_snoop_begin',
      target: 'vxlan_snoop',
      module: 'vxlan',
      writes: [],
      purpose: 'that an entry was learned from a packet and not asked for',
    },
    {
      name: 'vxlan_snoop_end',
      target: 'vxlan_snoop',
      module: 'vxlan',
      writes: ['vxlan_learn_refused'],
      purpose: 'packets dropped because their MAC belongs to another VTEP',
    },
    {
      name: 'vxlan_xmit_begin',
      target: 'vxlan_xmit',
      module: 'vxlan',
      writes: [],
      purpose: 'the MAC of packets that have no remote',
    },
    {
      name: 'vxlan_xmit_one',
      target: 'vxlan_xmit_one',
      module: 'vxlan',
      writes: ['vxlan_packets', 'vxlan_no_remote'],
      purpose: 'which remotes packets go to',
    },
    {
      name: 'vxlan_xmit_end',
      target: 'vxlan_xmit',
      module: 'vxlan',
      writes: ['vxlan_no_remote'],
      purpose: 'packets dropped because their MAC has no remote',
    },
  ],
  snapshot: [
    {
      kind: 'vxlan_exists',
      key: ['netns', 'ifindex'],
      madeBy: { vxlan_device_add: {} },
      changedBy: { vxlan_device_move: { netns: 'to_netns', ifindex: 'to_ifindex' } },
      endedBy: ['vxlan_device_delete'],
    },
    {
      // By MAC alone: replacing an entry changes its remote in place. Of the default entry's remotes the last is kept.
      kind: 'vxlan_fdb_exists',
      key: ['netns', 'ifindex', 'mac'],
      madeBy: { vxlan_fdb_update: {} },
      changedBy: {},
      endedBy: ['vxlan_fdb_delete'],
    },
  ],
  kinds: {
    vxlan_exists: 'a VXLAN device there was at the start',
    vxlan_fdb_exists: 'a forwarding entry there was at the start',
    vxlan_device_add: 'a VXLAN device was made',
    vxlan_device_refused: 'a VXLAN device was asked for and refused',
    vxlan_device_delete: 'a VXLAN device is going away, and its VNI is free',
    vxlan_device_move:
      'a VXLAN device was moved to another namespace; its VNI stays taken where its socket is',
    vxlan_fdb_update: 'a forwarding entry was made or changed: this MAC is behind this VTEP',
    vxlan_fdb_delete: 'a forwarding entry, or one remote of it, is gone',
    vxlan_flush: 'entries of a device are about to go together',
    vxlan_fdb_request: 'a forwarding entry, or its deletion, was asked for',
    vxlan_learn_refused: 'packets dropped: their MAC has a static entry with another VTEP',
    vxlan_packets: 'packets went to a VTEP, so many since the last such event',
    vxlan_no_remote: 'packets dropped: no VTEP is known for their MAC',
  },
  words: {
    fdb_state: STATE_BITS,
    fdb_flags: FDB_FLAGS,
    'vxlan_fdb_request.operation': { 28: 'add', 29: 'delete' },
    'vxlan_fdb_request.nlmsg_flags': NLM_FLAGS,
    'vxlan_fdb_update.portid': { 0: 'kernel' },
    'vxlan_fdb_delete.portid': { 0: 'kernel' },
    'vxlan_flush.portid': { 0: 'kernel' },
  },
  flags: {
    vxlan_fdb_update: LEARNED,
    vxlan_fdb_delete: LEARNED,
  },
};

export default path;
