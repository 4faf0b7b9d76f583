// Who deleted what: neighbours, addresses, routes, forwarding entries, devices, SAs, policies, namespaces, sockets.

import { ofRecording, type Question } from './question.ts';

export const DELETIONS: Question = {
  name: 'deletions',
  purpose:
    'who deleted what: neighbours, addresses, routes, forwarding entries, devices, SAs, policies, sockets',
  parameters: {},
  sql: ({ several }) => `SELECT ${ofRecording(several)}time, kind,
  CASE kind
    WHEN 'neigh_release' THEN concat_ws(' ', ip, mac)
    WHEN 'link_address_delete' THEN ip || '/' || prefix
    WHEN 'link_route_delete' THEN concat_ws(' ', destination || '/' || prefix, 'via ' || nullif(gateway, '0.0.0.0'))
    WHEN 'vxlan_fdb_delete' THEN concat_ws(' ', mac, 'behind ' || remote)
    WHEN 'xfrm_state_delete' THEN '0x' || lower(to_hex(spi)) || ' from ' || saddr || ' to ' || daddr
    WHEN 'xfrm_policy_delete' THEN
      concat_ws(' ', word(kind, 'direction', direction), saddr || '/' || saddr_prefix || ' to ' || daddr || '/' || daddr_prefix)
    WHEN 'xsk_release' THEN 'socket:' || object
    WHEN 'netns_destroy' THEN 'netns:' || netns
    WHEN 'sockiter_unhash' THEN 'cookie:' || cookie || ' port ' || port
    ELSE coalesce(name, device, 'all of them')
  END AS what,
  coalesce(device, name) AS device, netns, comm AS "by", pid, tid, cpu,
  coalesce(word(kind, 'cause', cause), word(kind, 'reason', reason),
    CASE WHEN portid > 0 THEN 'netlink port ' || portid END) AS why,
  result
FROM events
WHERE kind IN ('neigh_release', 'link_address_delete', 'link_route_delete', 'link_unregister', 'vxlan_fdb_delete',
  'vxlan_flush', 'vxlan_device_delete', 'xfrm_state_delete', 'xfrm_state_flush', 'xfrm_policy_delete',
  'xfrm_policy_flush', 'xsk_release', 'netns_destroy', 'sockiter_unhash')
ORDER BY recording, ts, cpu, seq`,
};
