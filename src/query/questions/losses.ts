// What is missing from the recordings.

import { ofRecording, type Question } from './question.ts';

export const LOSSES: Question = {
  name: 'losses',
  purpose: 'what is missing: events lost on each CPU and path and why, misses of probes, objects left out',
  parameters: {},
  sql: ({ several }) => `SELECT ${ofRecording(several)}cpu, path, reason, lost, gaps, first, last FROM (
  SELECT recording, file, cpu, path, reason, sum(lost)::UBIGINT AS lost, count(*) AS gaps, min(time) AS first,
    max(coalesce(until_time, time)) AS last
  FROM gaps GROUP BY ALL
  UNION ALL BY NAME
  SELECT recording, file, 'probes interrupted by themselves: their place is not known' AS reason, recursion_misses AS lost
  FROM recordings WHERE recursion_misses > 0
  UNION ALL BY NAME
  SELECT recording, file, 'objects beyond the object table' AS reason, objects_dropped AS lost
  FROM recordings WHERE objects_dropped > 0
  UNION ALL BY NAME
  SELECT recording, file, 'later violations without a recording of their own' AS reason, windowless_violations AS lost
  FROM recordings WHERE windowless_violations > 0
)
ORDER BY recording, lost DESC, cpu, path`,
};
