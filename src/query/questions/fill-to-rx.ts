// The frames that needed longest from FILL to RX.

import { ofRecording, type Question } from './question.ts';

export const FILL_TO_RX: Question = {
  name: 'fill-to-rx',
  purpose: 'the frames that took longest from FILL to RX, and how much of it they lay in FILL',
  parameters: { limit: { kind: 'count', purpose: 'how many rows', fallback: '20' } },
  sql: ({ several, values }) => `WITH moves AS (
  SELECT e.recording, e.file, e.time, e.ts, e.cpu, e.seq, e.kind, e.device, e.queue, e.addr, e.len, e.comm, o.umem,
    (e.addr & 281474976710655) // greatest(u.chunk_size, 1) AS chunk
  FROM events e JOIN objects o ON o.recording = e.recording AND o.object = e.object
    JOIN objects u ON u.recording = o.recording AND u.object = o.umem
  WHERE e.kind IN ('xsk_fill_submit', 'xsk_fill_take', 'xsk_rx_publish')
), paired AS (
  SELECT *,
    max(CASE kind WHEN 'xsk_fill_submit' THEN ts END) OVER before AS filled,
    max(CASE kind WHEN 'xsk_fill_take' THEN ts END) OVER before AS taken,
    max(CASE kind WHEN 'xsk_rx_publish' THEN ts END) OVER before AS published
  FROM moves
  WINDOW before AS (PARTITION BY recording, umem, chunk ORDER BY ts, cpu, seq
    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)
SELECT ${ofRecording(several)}time, device, queue, 'frame:0x' || lower(to_hex(addr)) || '@umem:' || umem AS frame,
  ts - filled AS total_ns, CASE WHEN taken >= filled THEN taken - filled END AS in_fill_ns,
  CASE WHEN taken >= filled THEN ts - taken END AS in_kernel_ns, cpu, comm, len
FROM paired
-- Its FILL must lie behind the RX before: what a gap has swallowed makes no pair.
WHERE kind = 'xsk_rx_publish' AND filled > coalesce(published, 0)
ORDER BY total_ns DESC, recording, ts LIMIT ${values['limit']?.sql}`,
};
