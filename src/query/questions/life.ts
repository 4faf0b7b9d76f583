// The life of an object: every event that concerns it, in order.

import { LAYOUTS } from '../../generated/layouts.ts';
import { EVENT_COLUMNS, type EventColumn } from '../columns.ts';
import { identifier, quote } from '../sql-text.ts';
import { WORDED } from '../vocabulary.ts';
import { ofRecording, type Question } from './question.ts';

/** Kinds whose events can concern an object of that type, by a field's name or meaning; all kinds for the others. */
const FIELD: Readonly<Record<string, readonly string[]>> = {
  frame: ['addr'],
  socket: ['object'],
  queue: ['object'],
  umem: ['object'],
  neighbour: ['ip'],
  fdb: ['mac'],
  vni: ['vni'],
  sa: ['spi'],
  policy: ['index'],
  device: ['ifindex', 'object'],
  address: ['ip'],
  netns: ['netns', 'object'],
  iterator: ['iterator', 'cookie'],
  cookie: ['cookie'],
};

/** What an event of such an object has to tell: every column read costs time. */
function columnsFor(type: string): readonly EventColumn[] {
  const wanted = FIELD[type];
  const kinds = new Set(
    LAYOUTS.filter(({ fields }) =>
      fields.some((field) => wanted?.some((word) => word === field.name || word === field.type) ?? true),
    ).map(({ kind }) => kind),
  );
  kinds.delete('gap');
  return EVENT_COLUMNS.filter(
    (column) => !SAID.has(column.name) && [...column.kinds].some((kind) => kinds.has(kind)),
  );
}

/** Columns of their own in the answer, or no use to a person. */
const SAID = new Set(['object', 'netns', 'ifindex', 'device', 'queue', 'since', 'until']);
const HEXADECIMAL = ['umem_addr', 'pointer', 'bits', 'spi'];

export const LIFE: Question = {
  name: 'life',
  purpose:
    'everything that happened to one object, in order: when, on which CPU, by whom, how long after the last',
  parameters: {
    object: {
      kind: 'object',
      purpose: 'what to follow, in the words of "show --object" or of a violation',
      fallback: null,
    },
  },
  sql({ several, values }) {
    const { sql = 'false', selector } = values['object'] ?? {};
    const details = columnsFor(selector?.type ?? '').map(({ name, meanings }) => {
      const column = `e.${identifier(name)}`;
      const hexadecimal = [...meanings].some((meaning) => HEXADECIMAL.includes(meaning));
      const value = hexadecimal ? `'0x' || lower(to_hex(${column}))` : column;
      return WORDED.has(name)
        ? `${quote(`${name}=`)} || coalesce(word(e.kind, ${quote(name)}, ${column}), (${value})::VARCHAR)`
        : `${quote(`${name}=`)} || ${value}`;
    });
    // One condition with OR would have DuckDB decode every column of every row.
    return `WITH found AS (SELECT * FROM events WHERE ${sql} AND kind <> 'gap'
  UNION ALL SELECT * FROM events WHERE kind = 'gap'
), e AS (
  -- A gap in front of the first event says nothing about the object.
  SELECT * FROM found QUALIFY count(*) FILTER (kind <> 'gap')
    OVER (PARTITION BY recording ORDER BY ts, cpu, seq ROWS UNBOUNDED PRECEDING) > 0
)
SELECT ${ofRecording(several, 'e.')}e.time,
  e.ts - lag(e.ts) OVER (PARTITION BY e.recording ORDER BY e.ts, e.cpu, e.seq) AS after_ns,
  e.cpu, e.tid, e.comm, e.kind, e.device, e.queue,
  CASE e.kind WHEN 'gap' THEN e.lost || ' events lost' ELSE concat_ws(' ', ${details.join(', ')}) END AS details,
  CASE e.kind WHEN 'gap' THEN 'what happened meanwhile is not known' ELSE k.says END AS says
FROM e LEFT JOIN kinds k ON k.kind = e.kind
ORDER BY e.recording, e.ts, e.cpu, e.seq`;
  },
};
