// Packets that were dropped, and why.

import { ofRecording, type Question } from './question.ts';

export const DROPS: Question = {
  name: 'drops',
  purpose: 'packets that AF_XDP, IPsec or VXLAN dropped: where, how many and why',
  parameters: {},
  sql: ({ several }) => `SELECT ${ofRecording(several)}kind, device, queue, netns,
  coalesce(word(kind, 'reason', reason), any_value(k.says)) AS why,
  sum(coalesce("count", packets, 1))::BIGINT AS packets, min(time) AS first, max(time) AS last
FROM events JOIN kinds k USING (kind)
WHERE kind IN ('xsk_drop', 'xfrm_drop', 'vxlan_learn_refused', 'vxlan_no_remote')
GROUP BY recording, file, kind, device, queue, netns, reason
ORDER BY packets DESC, recording, kind`,
};
