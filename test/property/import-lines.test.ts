// Whatever the lines of a trace are: none crashes the import or takes long, and each is accounted for once.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FlightringError } from '../../src/model/errors.ts';
import { importTrace } from '../../src/import/import.ts';
import { MAX_LINE } from '../../src/import/lines.ts';
import { loadMapping } from '../../src/import/mappings.ts';
import { TraceReader } from '../../src/import/reader.ts';
import { Spool } from '../../src/import/spool.ts';
import { openRecording } from '../../src/recording/open.ts';

const mapping = loadMapping('xsk-markers');

/** Pieces of which lines are made, some of them nearly right. */
const piece = fc.oneof(
  fc.constantFrom(
    'iperf-12 ',
    ' [001] ',
    ' d..1. ',
    '542812.657026: ',
    '12.5:',
    'tracing_mark_write: ',
    '__xsk_rcv_zc_L7: ',
    '(__xsk_rcv_zc+0x9b/0x250) ',
    'addr=0x16ce900 ',
    'len=0x4e ',
    'xs=0xffffa0c6e26ab400 ',
    'ingress q:1 0x16ce900 FILL -> RX',
    'ingress q:1 0xffffffffffffffff RX -> TX',
    'CPU:1 [LOST 12 EVENTS]',
    '# ',
    '"',
    '{',
    '\0',
    '\x1b[31m',
    '(1234)',
    '99999999999999999999',
    ' <- ',
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.stringMatching(/^[\d:.[\]()= -]{0,20}$/),
);
const line = fc.array(piece, { maxLength: 12 }).map((parts) => parts.join('').replaceAll(/[\r\n]/g, ' '));
const good = fc
  .tuple(fc.nat(3), fc.nat(1e6), fc.nat(7), fc.constantFrom('FILL', 'RX', 'TX', 'COMP'))
  .map(
    ([cpu, micro, frame, to]) =>
      `app-${cpu + 1} [00${cpu}] ..... 5.${String(micro).padStart(6, '0')}: tracing_mark_write: in q:${cpu} 0x${(frame * 4096).toString(16)} X -> ${to}`,
  );

test('every line is accounted for once', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(line, good)),
      fc.constantFrom('auto', 'ftrace', 'trace-cmd', 'perf', 'bpftrace'),
      (lines, format) => {
        const reader = new TraceReader(mapping, format as 'auto', new Spool('/nowhere'));
        for (const text of lines) reader.take(text);
        reader.end();
        const { events, markers, headers, losses, ignored, unused, lines: all } = reader.account.counts;
        expect(all).toBe(lines.length);
        expect(events + markers + headers + losses + ignored + unused).toBe(lines.length);
      },
    ),
    { numRuns: 500 },
  );
});

test('arbitrary bytes become a recording that can be read, or an error in words', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'flightring-import-'));
  const path = join(folder, 'out.parquet');
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc.array(fc.oneof(line, good)).map((lines) => new Uint8Array(Buffer.from(lines.join('\n')))),
  );
  try {
    await fc.assert(
      fc.asyncProperty(bytes, fc.integer({ min: 1, max: 300 }), async (text, size) => {
        const chunks = async function* () {
          for (let at = 0; at < text.length; at += size) yield text.subarray(at, at + size);
        };
        try {
          const { events } = await importTrace(chunks(), path, { runSlots: 64 });
          const recording = await openRecording(path);
          expect(recording).toMatchObject({ damage: null, rows: events });
          for (const batch of recording.batches()) expect(batch.slots).toBeGreaterThan(0);
        } catch (error) {
          if (!(error instanceof FlightringError)) throw error;
          expect(error.message).toMatch(/^\P{Cc}+\.$/u);
        }
      }),
      { numRuns: 150 },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('no line takes longer than its length', () => {
  const heads = ['', 'a-1 [000] 1.000000: e: ', 'a-1 [000] 1.000000: tracing_mark_write: ', '1 2 a '];
  const bodies = ['[', ' ', '-', '(', '1 ', 'a=', '="', '[000] ', 'in q:1 0x1 ', '{', ': ', 'CPU:', '\t'];
  for (const head of heads)
    for (const body of bodies) {
      const reader = new TraceReader(mapping, 'auto', new Spool('/nowhere'));
      const text = (head + body.repeat(MAX_LINE)).slice(0, MAX_LINE);
      const started = performance.now();
      for (let i = 0; i < 10; i++) reader.take(text);
      expect(performance.now() - started, `${head} ${body}`).toBeLessThan(1000);
    }
});
