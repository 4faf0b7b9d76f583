// The programs that cause most events.

import type { Question } from './question.ts';

export const TALKERS: Question = {
  name: 'talkers',
  purpose: 'the programs that cause most events, by name',
  parameters: { limit: { kind: 'count', purpose: 'how many rows', fallback: '20' } },
  sql: ({
    values,
  }) => `SELECT coalesce(comm, CASE tid WHEN 0 THEN '<idle>' ELSE '<...>' END) AS program, count(*) AS events, round(100 * count(*) / sum(count(*)) OVER (), 1) AS percent,
  count(DISTINCT (recording, pid)) AS processes, count(DISTINCT (recording, cpu)) AS cpus, mode(kind) AS most
FROM events WHERE kind <> 'gap' AND NOT snapshot
GROUP BY program ORDER BY events DESC, program LIMIT ${values['limit']?.sql}`,
};
