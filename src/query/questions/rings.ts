// How full each AF_XDP ring was, over time.

import { ofRecording, type Question } from './question.ts';

/** Of FILL, RX and COMP both ends are known by their positions; from TX the kernel's takes are counted. */
export const RINGS: Question = {
  name: 'rings',
  purpose:
    'how many entries lay in each FILL, RX, TX and COMP ring over time; of TX, more than at its emptiest',
  parameters: { step: { kind: 'span', purpose: 'the time that each row covers', fallback: '10ms' } },
  sql: ({ several, values }) => {
    const step = values['step']?.sql;
    return `WITH moves AS (
  SELECT recording, file, time, ts, cpu, seq, kind, device, queue, netns, object,
    upper(split_part(kind, '_', 2)) AS ring,
    CASE WHEN kind LIKE 'xsk_tx_%' THEN NULL ELSE object END AS owner,
    CASE WHEN kind IN ('xsk_fill_submit', 'xsk_rx_publish', 'xsk_comp_submit', 'xsk_tx_submit')
      THEN "position"::BIGINT + 1 END AS produced,
    CASE WHEN kind = 'xsk_fill_take' THEN "position"::BIGINT + 1
      WHEN kind IN ('xsk_rx_consume', 'xsk_comp_consume') THEN "position"::BIGINT + "count" END AS consumed
  FROM events
  -- Frames of the driver's free list (0x100) were not taken from FILL.
  WHERE kind IN ('xsk_fill_submit', 'xsk_rx_publish', 'xsk_rx_consume', 'xsk_tx_submit', 'xsk_tx_take',
    'xsk_comp_submit', 'xsk_comp_consume') OR (kind = 'xsk_fill_take' AND flags & 256 = 0)
), steps AS (
  SELECT *, CASE
    -- Two CPUs may have told of the same entry.
    WHEN kind = 'xsk_tx_submit' THEN (produced > coalesce(max(produced) OVER (PARTITION BY recording, kind, object
      ORDER BY ts, cpu, seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0))::INTEGER
    WHEN kind = 'xsk_tx_take' THEN -1 END AS step
  FROM moves
), ends AS (
  SELECT *, sum(step) OVER w AS taken, max(produced) OVER w AS head, max(consumed) OVER w AS tail
  FROM steps
  WINDOW w AS (PARTITION BY recording, ring, netns, device, queue, owner ORDER BY ts, cpu, seq ROWS UNBOUNDED PRECEDING)
), levels AS (
  SELECT *, CASE
    WHEN ring = 'TX' THEN taken - least(0, min(taken) OVER (PARTITION BY recording, netns, device, queue, ring))
    -- The look that tells of a release may come before what tells of the entry.
    WHEN head < tail THEN 0 ELSE head - tail END AS level
  FROM ends
)
SELECT ${ofRecording(several)}min(time) AS time, device, queue, netns, ring,
  min(level)::BIGINT AS least, max(level)::BIGINT AS most, last(level ORDER BY ts, cpu, seq)::BIGINT AS at_end,
  count(*) AS moves
FROM levels
GROUP BY recording, file, ts // ${step}, device, queue, netns, ring, owner
ORDER BY recording, device, queue, ring, owner, min(ts)`;
  },
};
