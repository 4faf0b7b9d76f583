// What was not looked at: probes that could not be attached.

import type { Question } from './question.ts';

export const COVERAGE: Question = {
  name: 'coverage',
  purpose: 'what was not looked at: probes that could not be attached, why, and in how many recordings',
  parameters: {},
  sql: () => `SELECT c.path, c.probe, c.target, c.status, c.reason, count(*) AS recordings,
  list_sort(list(DISTINCT r.kernel)) AS kernels
FROM coverage c JOIN recordings r USING (recording)
WHERE c.status <> 'attached'
GROUP BY c.path, c.probe, c.target, c.status, c.reason
ORDER BY recordings DESC, c.path, c.probe`,
};
