// Network devices: their lives, addresses, routes and bridge ports, and the MAC addresses they advertise.

import type { ProbePath } from '../model/probe.ts';
import { RTM } from './_netlink.ts';

/** include/uapi/linux/if_bridge.h: BR_STATE_*; and what bpf/probes/link-records.bpf.h adds. */
const PORT_STATE = {
  0: 'DISABLED',
  1: 'LISTENING',
  2: 'LEARNING',
  3: 'FORWARDING',
  4: 'BLOCKING',
  254: 'unknown',
  255: 'no bridge port',
} as const;

/** include/uapi/linux/if.h: IFF_*. */
const DEVICE_FLAGS = {
  0x1: 'UP',
  0x2: 'BROADCAST',
  0x8: 'LOOPBACK',
  0x10: 'POINTOPOINT',
  0x40: 'RUNNING',
  0x80: 'NOARP',
  0x100: 'PROMISC',
  0x200: 'ALLMULTI',
  0x400: 'MASTER',
  0x800: 'SLAVE',
  0x1000: 'MULTICAST',
} as const;

/** include/uapi/linux/if_addr.h: IFA_F_*. */
const ADDRESS_FLAGS = {
  0x01: 'secondary',
  0x02: 'nodad',
  0x04: 'optimistic',
  0x08: 'dadfailed',
  0x20: 'deprecated',
  0x40: 'tentative',
  0x80: 'permanent',
  0x100: 'managed-temporary',
  0x200: 'noprefixroute',
} as const;

/** include/uapi/linux/if.h: IF_OPER_*. */
const OPERSTATE = {
  0: 'UNKNOWN',
  1: 'NOTPRESENT',
  2: 'DOWN',
  3: 'LOWERLAYERDOWN',
  4: 'TESTING',
  5: 'DORMANT',
  6: 'UP',
} as const;

const path: ProbePath = {
  path: 'link',
  title: 'Network devices, their addresses and what they advertise',
  probes: [
    {
      name: 'link_register',
      target: 'register_netdevice',
      writes: ['link_register'],
      purpose: 'when a device came to be',
    },
    {
      name: 'link_notify',
      target: 'call_netdevice_notifiers_info',
      writes: ['link_unregister', 'link_up', 'link_down', 'link_change', 'link_mac_change', 'link_master'],
      purpose: 'when a device goes up or down, gets another MAC address or master, or goes away',
    },
    {
      name: 'link_rename_begin_netif',
      target: 'netif_change_name',
      writes: ['link_rename'],
      orElse: 'link_rename_begin',
      purpose: 'the name a device had before it was renamed',
    },
    {
      name: 'link_rename_begin',
      target: 'dev_change_name',
      writes: ['link_rename'],
      purpose: 'the name a device had before it was renamed',
    },
    {
      name: 'link_rename_netif',
      target: 'netif_change_name',
      writes: ['link_rename'],
      orElse: 'link_rename',
      purpose: 'who renames a device, and whether it is refused',
    },
    {
      name: 'link_rename',
      target: 'dev_change_name',
      writes: ['link_rename'],
      purpose: 'who renames a device, and whether it is refused',
    },
    {
      name: 'link_move',
      target: '__dev_change_net_namespace',
      writes: ['link_move'],
      purpose: 'who moves a device into which namespace, and in what state it is then',
    },
    {
      name: 'link_move_done',
      target: '__dev_change_net_namespace',
      writes: ['link_move_done'],
      purpose: 'where a device is after it was moved, and whether that was refused',
    },
    {
      name: 'link_port_state',
      target: 'br_set_state',
      module: 'bridge',
      writes: ['link_port_state'],
      purpose: 'when a bridge port begins or ceases to forward',
    },
    {
      name: 'link_address4',
      target: 'fib_inetaddr_event',
      writes: ['link_address_add', 'link_address_delete'],
      purpose: 'when an IPv4 address is given to a device, and when and why it goes',
    },
    {
      name: 'link_address6_add',
      target: 'ipv6_add_addr',
      writes: ['link_address_add'],
      purpose: 'when an IPv6 address is given to a device',
    },
    {
      name: 'link_address6_delete',
      target: '__ipv6_ifa_notify',
      writes: ['link_address_delete'],
      purpose: 'when an IPv6 address goes',
    },
    {
      name: 'link_address6_delete_begin',
      target: 'ipv6_del_addr',
      writes: ['link_address_delete'],
      purpose: 'whether an IPv6 address was deleted by itself or because IPv6 was stopped',
    },
    {
      name: 'link_dad_failure',
      target: 'addrconf_dad_failure',
      writes: ['link_dad_failure'],
      purpose: 'that another host claimed an IPv6 address while it was being tested',
    },
    {
      name: 'link_route4_add',
      target: 'fib_table_insert',
      writes: ['link_route_add'],
      purpose: 'IPv4 routes that are added or refused',
    },
    {
      name: 'link_route4_delete',
      target: 'fib_table_delete',
      writes: ['link_route_delete'],
      purpose: 'IPv4 routes that are deleted',
    },
    {
      name: 'link_route6_add',
      target: 'ip6_route_add',
      writes: ['link_route_add'],
      purpose: 'IPv6 routes that are added or refused',
    },
    {
      name: 'link_route6_delete',
      target: 'ip6_route_del',
      writes: ['link_route_delete'],
      purpose: 'IPv6 routes that are deleted',
    },
    {
      name: 'link_request',
      target: 'netlink_ack',
      writes: ['link_request_failed'],
      purpose: 'requests about links, addresses and routes that are refused, with the errno',
    },
    {
      name: 'link_advertise',
      target: 'net_dev_queue',
      writes: ['link_advertise'],
      purpose: 'gratuitous ARP and unsolicited neighbour advertisements, whoever sends them',
    },
  ],
  snapshot: [
    {
      kind: 'link_exists',
      key: ['netns', 'ifindex'],
      madeBy: {
        link_register: {
          name: 'name',
          device_kind: 'device_kind',
          mac: 'mac',
          device_flags: 'device_flags',
        },
        link_move_done: {
          name: 'name',
          device_kind: 'device_kind',
          mac: 'mac',
          device_flags: 'device_flags',
        },
      },
      changedBy: {
        link_rename: { name: 'new_name' },
        link_up: { device_flags: 'device_flags' },
        link_down: { device_flags: 'device_flags' },
        link_change: { device_flags: 'device_flags' },
        link_mac_change: { mac: 'new_mac' },
        link_master: { master: 'master' },
        link_port_state: { port_state: 'port_state' },
      },
      endedBy: ['link_unregister', 'link_move'],
      // No port of a bridge.
      initially: { port_state: 0xff },
    },
    {
      kind: 'link_address_exists',
      key: ['netns', 'ifindex', 'ip'],
      madeBy: {
        link_address_add: { prefix: 'prefix', family: 'family', address_flags: 'address_flags' },
      },
      changedBy: {},
      endedBy: ['link_address_delete'],
    },
  ],
  kinds: {
    link_exists: 'a device that was there when recording began',
    link_address_exists: 'an address that was there when recording began',
    link_register: 'a device came to be',
    link_unregister: 'a device goes away',
    link_rename: 'a device was renamed, or that was refused',
    link_up: 'a device is up',
    link_down: 'a device is down',
    link_change: "a device's carrier or flags changed",
    link_mac_change: 'a device has another MAC address',
    link_move: 'a device is about to be moved into another namespace',
    link_move_done: 'a device was moved into another namespace, or that was refused',
    link_master: 'a device has another master, or none any more',
    link_port_state: 'a bridge port is put into another state',
    link_address_add: 'an address is given to a device',
    link_address_delete: 'an address is taken from a device',
    link_dad_failure: 'another host claimed an address that was being tested',
    link_route_add: 'a route is added, or that was refused',
    link_route_delete: 'a route is deleted, or that was refused',
    link_request_failed: 'a netlink request was refused',
    link_advertise: 'a device tells its neighbours which MAC address an IP address has',
  },
  words: {
    family: { 2: 'inet', 10: 'inet6' },
    port_state: PORT_STATE,
    old_state: PORT_STATE,
    operstate: OPERSTATE,
    carrier: { 0: 'no', 1: 'yes' },
    device_flags: DEVICE_FLAGS,
    address_flags: ADDRESS_FLAGS,
    'link_address_delete.reason': {
      1: 'asked for',
      2: 'a sysctl switched IPv6 off',
      3: 'the device went down',
      4: 'the device is gone',
      5: 'the device was moved into another namespace',
      6: 'its lifetime ended',
      7: 'another host has it',
    },
    'link_request_failed.request': RTM,
    'link_master.master': { 0: 'none' },
  },
  flags: {},
};

export default path;
