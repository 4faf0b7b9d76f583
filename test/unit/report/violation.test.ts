// A violation in plain words, exactly.

import { expect, test } from 'vitest';
import { createPalette } from '../../../src/report/palette.ts';
import { nextCommands, violationLine, violationText } from '../../../src/report/violation.ts';
import { META, T0, VIOLATION } from './story.ts';

const palette = createPalette(false);

test('headline, sentence, events, window, recording, and where to go next', () => {
  expect(violationText(VIOLATION, { palette, meta: META, path: './a b.parquet' }).join('\n')).toBe(
    `
✗ xsk.ownership is violated

  frame 0x16ce000 of umem 0 went from TX to RX on outer q1 (netns 8193) without passing COMP and FILL.

  events     -1.78ms  CPU 0  xsk_tx_submit  the application put a packet into TX, some time since the last look
                   0  CPU 1  xsk_rx_write   an RX entry is written; the application can't see it yet

  window     CPU 0  6 events  from -1.87ms  to +30.0µs  40 012 older ones overwritten
             CPU 1  5 events  from -1.85ms  to 0        0 older ones overwritten
             frozen by a violation 31.2µs after the offending event, 12 events overwritten meanwhile
             1234 events lost: overwritten before they were read

  recording  ./a b.parquet

  next       flightring check './a b.parquet'
             flightring show './a b.parquet' --object frame:0x16ce000@umem:0
             flightring invariants xsk.ownership`.slice(1),
  );
});

test('without a recording there is nothing to look at next', () => {
  const text = violationText(VIOLATION, { palette }).join('\n');
  expect(text).not.toMatch(/window|recording|next/);
  expect(text).toContain('events');
});

test('a warning is no violation, and an order that the clock cannot prove is said', () => {
  const text = violationText({ ...VIOLATION, severity: 'warning', orderDependent: true }, { palette });
  expect(text[0]).toBe('! xsk.ownership warns');
  expect(text.join('\n')).toContain('closer together than the clock can order');
});

test('of much evidence the last is shown', () => {
  const evidence = Array.from({ length: 30 }, (_, i) => ({
    cpu: 0,
    seq: i,
    ts: T0 + i,
    kind: 'xsk_fill_submit',
  }));
  const text = violationText({ ...VIOLATION, evidence: [...evidence, VIOLATION.at] }, { palette });
  expect(text.filter((line) => line.includes('CPU'))).toHaveLength(8);
  expect(text.join('\n')).toContain('… 23 earlier');
});

test('an object that --object does not take is looked for by time', () => {
  expect(nextCommands({ ...VIOLATION, object: 'the whole machine' }, 'a.parquet', 'npx flightring')).toEqual([
    'npx flightring check a.parquet',
    'npx flightring show a.parquet --around 1ms',
    'npx flightring invariants xsk.ownership',
  ]);
});

test('in one line for lists', () => {
  expect(violationLine(VIOLATION, palette)).toBe(`✗ xsk.ownership  ${VIOLATION.sentence}`);
});
