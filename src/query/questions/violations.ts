// Violations by host and day.

import { identifier } from '../sql-text.ts';
import type { Question } from './question.ts';

export const VIOLATIONS: Question = {
  name: 'violations',
  purpose: 'how often each invariant was broken, by day, and by host where the folders say host=…',
  parameters: {},
  sql: ({ partitions }) => {
    const host = partitions.includes('host') ? `v.${identifier('host')}, ` : '';
    return `SELECT ${host}r.created::DATE AS day, v.invariant, v.severity, count(*) AS violations,
  count(DISTINCT v.recording) AS recordings, first(v.sentence ORDER BY v.recording, v.ts) AS first
FROM violations v JOIN recordings r USING (recording)
GROUP BY ${host}r.created::DATE, v.invariant, v.severity
ORDER BY day, ${host}violations DESC, v.invariant`;
  },
};
