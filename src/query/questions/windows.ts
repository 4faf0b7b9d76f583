// How far back each recording really reaches.

import { ofRecording, type Question } from './question.ts';

export const WINDOWS: Question = {
  name: 'windows',
  purpose: 'how far back the recording really reaches, for each CPU and path, and what was overwritten',
  parameters: {},
  sql: ({ several }) => `SELECT ${ofRecording(several)}cpu, path, events, first_time, last_time,
  round((last_ts - first_ts) / 1e6, 3) AS span_ms, overwritten
FROM windows WHERE events > 0 OR overwritten > 0
ORDER BY recording, cpu, path`,
};
