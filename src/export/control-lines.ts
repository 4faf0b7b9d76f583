// Life-lines of what is configured: neighbours, forwarding entries, VNIs, SAs, policies, devices, addresses, namespaces, iterators.

import type { EventView } from '../decode/event-view.ts';

/** An object as `--object` takes it, and its state from the event on; null: it is gone. */
interface Station {
  readonly type: string;
  readonly label: string;
  readonly state: string | null;
}

/** A field's value in words. */
type Say = (name: string) => string;
type Rule = (event: EventView, say: Say) => readonly Station[];
type StateOf = (event: EventView, say: Say) => string | null;

const NONE: readonly Station[] = [];

function one(type: string, label: string, state: string | null): readonly Station[] {
  return [{ type, label, state }];
}

/** What was refused changes nothing. */
function ifDone(rule: Rule): Rule {
  return (event, say) => (event.u32('result') < 0 ? NONE : rule(event, say));
}

function device(event: EventView): string {
  return `${event.u32('ifindex')}:${event.text('netns')}`;
}

function neighbour(state: StateOf): Rule {
  return (event, say) =>
    one('neighbour', `neighbour:${event.text('ip')}@${device(event)}`, state(event, say));
}

const nud = neighbour((_event, say) => say('nud'));

function entry(state: StateOf): Rule {
  return (event, say) => one('fdb', `fdb:${event.text('mac')}@${device(event)}`, state(event, say));
}

const behind = entry((event) => `behind ${event.text('remote')}`);

function vni(state: string | null): Rule {
  return (event) => one('vni', `vni:${event.u32('vni')}@netns:${event.text('link_netns')}`, state);
}

function sa(state: string | null): Rule {
  return ifDone((event) =>
    one('sa', `sa:${event.text('spi')}@${event.text('daddr')}@netns:${event.text('netns')}`, state),
  );
}

function policy(state: string | null): Rule {
  return ifDone((event) =>
    one('policy', `policy:${event.text('index')}@netns:${event.text('netns')}`, state),
  );
}

/** include/uapi/linux/if.h. */
const IFF_UP = 1;

function link(state: StateOf): Rule {
  return (event, say) => one('device', `device:${device(event)}`, state(event, say));
}

const byFlags = link((event) => ((event.u32('device_flags') & IFF_UP) === 0 ? 'down' : 'up'));

function address(state: string | null): Rule {
  return (event) => one('address', `address:${event.text('ip')}@${device(event)}`, state);
}

function netns(state: string | null): Rule {
  return (event) => one('netns', `netns:${event.text('netns')}`, state);
}

function iterator(state: string | null): Rule {
  return (event) => one('iterator', `iterator:${event.text('iterator')}`, state);
}

function cookie(state: string | null): Rule {
  return (event) =>
    event.u64('cookie') === 0n ? NONE : one('cookie', `cookie:${event.text('cookie')}`, state);
}

/** By kind. */
export const CONTROL_LINES: Readonly<Record<string, Rule>> = {
  neigh_exists: nud,
  neigh_create: nud,
  neigh_update_done: nud,
  neigh_timer: nud,
  neigh_release: neighbour(() => null),
  vxlan_fdb_exists: behind,
  vxlan_fdb_update: behind,
  vxlan_fdb_delete: entry(() => null),
  vxlan_exists: vni('taken'),
  vxlan_device_add: vni('taken'),
  vxlan_device_delete: vni(null),
  xfrm_state_exists: sa('valid'),
  xfrm_state_add: sa('valid'),
  xfrm_state_update: sa('valid'),
  xfrm_state_delete: sa(null),
  xfrm_policy_exists: policy('in force'),
  xfrm_policy_add: policy('in force'),
  xfrm_policy_delete: policy(null),
  link_exists: byFlags,
  link_register: byFlags,
  link_up: link(() => 'up'),
  link_down: link(() => 'down'),
  link_change: byFlags,
  link_unregister: link(() => null),
  link_move_done: ifDone((event, say) => [
    {
      type: 'device',
      label: `device:${event.u32('old_ifindex')}:${event.text('old_netns')}`,
      state: null,
    },
    ...byFlags(event, say),
  ]),
  link_address_exists: address('assigned'),
  link_address_add: address('assigned'),
  link_address_delete: address(null),
  netns_exists: netns('exists'),
  netns_create: netns('exists'),
  netns_destroy: netns(null),
  sockiter_start: iterator('reading'),
  sockiter_stop: iterator('between reads'),
  sockiter_end: iterator('at its end'),
  sockiter_release: iterator(null),
  sockiter_socket_exists: cookie('hashed'),
  sockiter_hash: cookie('hashed'),
  sockiter_unhash: cookie(null),
};
