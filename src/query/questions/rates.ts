// Events per second on each CPU, over time.

import { ofRecording, type Question } from './question.ts';

export const RATES: Question = {
  name: 'rates',
  purpose: 'events per second on each CPU over time, with the kind that came most often',
  parameters: { step: { kind: 'span', purpose: 'the time that each row covers', fallback: '100ms' } },
  sql: ({ several, values }) => {
    const step = values['step']?.sql;
    return `SELECT ${ofRecording(several)}min(time) AS time, cpu, count(*) AS events,
  round(count(*) * 1e9 / ${step}) AS per_second, count(DISTINCT kind) AS kinds, mode(kind) AS most
FROM events WHERE kind <> 'gap' AND NOT snapshot
GROUP BY recording, file, ts // ${step}, cpu
ORDER BY recording, min(ts) // ${step}, cpu`;
  },
};
