// Events per second of each kind.

import type { Question } from './question.ts';

export const KINDS: Question = {
  name: 'kinds',
  purpose: 'events of each kind, how many per second of recorded time, and what the kind says',
  parameters: {},
  sql: () => `WITH counted AS (
  SELECT recording, path, kind, count(*) AS n, min(ts) AS first, max(ts) AS last
  FROM events WHERE kind <> 'gap' AND NOT snapshot GROUP BY ALL
), spans AS (SELECT recording, max(last) - min(first) AS span FROM counted GROUP BY ALL)
SELECT c.path, c.kind, sum(c.n)::BIGINT AS events,
  round(sum(c.n) * 1e9 / nullif((SELECT sum(span) FROM spans), 0), 1) AS per_second,
  count(*) AS recordings, any_value(k.says) AS says
FROM counted c LEFT JOIN kinds k ON k.kind = c.kind
GROUP BY c.path, c.kind ORDER BY events DESC, c.kind`,
};
