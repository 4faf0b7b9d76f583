// A container's interface: moved into its sandbox, configured, advertised and taken back; and what goes wrong on the way.

import type { Scenario } from '../scenario.ts';

/** What all of them are: a veth pair between a sandbox and a bridge. */
const SANDBOX = {
  story: 'sandbox',
  paths: ['link'],
  workload: 'program',
  modules: ['veth', 'bridge'],
} as const;

const scenarios: readonly Scenario[] = [
  {
    ...SANDBOX,
    name: 'sandbox-healthy',
    about:
      'two endpoints one after the other with one IP address, configured, advertised and taken back in order',
    words: ['sandbox.sh', 'healthy'],
    expects: [],
  },
  {
    ...SANDBOX,
    name: 'sandbox-recovered',
    about: 'a route is refused, and the interface is taken back under its old name',
    words: ['sandbox.sh', 'recovered'],
    expects: [],
  },
  {
    ...SANDBOX,
    name: 'sandbox-early',
    about: 'advertises while the bridge port still listens',
    words: ['sandbox.sh', 'early'],
    expects: ['link.advertised-too-early'],
    says: ['process {pid} advertised {ip} at {mac} on {device}', 'vetha', 'LISTENING'],
  },
  {
    ...SANDBOX,
    name: 'sandbox-no-carrier',
    about: 'advertises while the other end is down',
    words: ['sandbox.sh', 'no-carrier'],
    expects: ['link.advertised-too-early'],
    says: ['process {pid} advertised {ip} at {mac} on {device}', 'no carrier yet from vetha'],
  },
  {
    ...SANDBOX,
    name: 'sandbox-stale-mac',
    about: 'the MAC address changes between repeats of an advertisement',
    words: ['sandbox.sh', 'stale-mac'],
    expects: ['link.wrong-mac-advertised'],
    mayExpect: ['link.never-advertised'],
    // It may be told when the next scenario has begun.
    alone: true,
    says: ['process {pid} advertised {ip} at {mac} on {device}', "the device's MAC is 02:f3:00:00:00:02"],
  },
  {
    ...SANDBOX,
    name: 'sandbox-stranded',
    about: 'a route is refused, and nobody takes the interface back',
    words: ['sandbox.sh', 'stranded'],
    expects: ['link.stranded'],
    says: ['{device}', 'stranded', 'a route via 172.99.0.1 was refused with', 'as vethb, nor deleted'],
  },
  {
    ...SANDBOX,
    name: 'sandbox-sysctl',
    about: 'a sysctl takes the IPv6 address away, which is advertised all the same',
    words: ['sandbox.sh', 'sysctl'],
    expects: ['link.address-vanished'],
    says: ['{ip} vanished from {device}', 'a sysctl', 'process {pid} advertises it at {mac}'],
  },
  {
    ...SANDBOX,
    name: 'sandbox-sysctl-route',
    about: 'a sysctl takes the IPv6 address away, and a route by it is added',
    words: ['sandbox.sh', 'sysctl-route'],
    expects: ['link.address-vanished'],
    says: ['{ip} vanished from {device}', 'a sysctl', 'routes via fd31::1'],
  },
  {
    ...SANDBOX,
    name: 'sandbox-rename-up',
    about: 'renames an interface that is up and has addresses',
    words: ['sandbox.sh', 'rename-up'],
    expects: ['link.rename-while-up'],
    says: ['{device}', 'to eth1', 'up with {ip}'],
  },
  {
    ...SANDBOX,
    name: 'sandbox-move-up',
    about: 'moves an interface that is up and has addresses',
    words: ['sandbox.sh', 'move-up'],
    expects: ['link.rename-while-up'],
    says: ['moved {device}', 'up with {ip}'],
  },
  {
    ...SANDBOX,
    name: 'sandbox-silent-reuse',
    about: 'an IP address comes back with another MAC, and nobody is told',
    words: ['sandbox.sh', 'silent-reuse'],
    expects: ['link.never-advertised'],
    freezeOn: 'warning',
    says: ['{ip} came back on {device}', 'with {mac}', 'neighbours still send to 02:f3:00:00:00:01'],
  },
];

export default scenarios;
