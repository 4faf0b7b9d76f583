// flightring explain: the story's race with both CPUs side by side, and what else there is in words.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { explainRecording } from '../../../src/explain/explain.ts';
import { explanationText } from '../../../src/explain/text.ts';
import { INVARIANTS } from '../../../src/generated/invariants.ts';
import { createPalette } from '../../../src/report/palette.ts';
import { mixedPaths, publishRace, storyObjects, writeStory, XSK_STORIES } from '../shrink/stories.ts';

const PLAIN = { palette: createPalette(false), width: 110 };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'flightring-explain-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function only(name: string) {
  return INVARIANTS.filter((invariant) => invariant.name === name);
}

const THREADS = [
  { tid: 11, ts: 0, comm: 'forwarder' },
  { tid: 12, ts: 0, comm: 'iperf2' },
];

async function explainRace() {
  const path = join(folder, 'race.parquet');
  const events = publishRace().events.map((event) => ({ ...event, tid: event.cpu === 2 ? 12 : 11 }));
  writeStory(path, events, storyObjects(), { threads: THREADS });
  return explainRecording(path, { invariants: only('xsk.publish-race') });
}

it('draws both CPUs of the publish race side by side, with the write that came too late', async () => {
  const lines = explanationText(await explainRace(), PLAIN);
  expect(lines.join('\n')).toMatchInlineSnapshot(`
    "✗ xsk.publish-race
      CPU 0 published RX entry 161 of outer q1 (netns 1) while CPU 2's receive had not written its descriptor: it
      shows 0x22100, 60 bytes; NAPI poll was completed before the flush

    What had to happen
      4 events of 1052 records: without any one of them it would not have been reported.

         time  CPU 0  forwarder-11                               CPU 2  iperf2-12
               ────────────────────────────────────────────────  ────────────────────────────────────────────────
      -6.00µs  ● xsk_rx_write
               │ an RX entry is written; the application can't
               │ see it yet
               │ socket:5 (outer q1 netns 1) position=160
               │ addr=0xf0100 len=60
      -5.00µs  ◆ xsk_napi_complete
               │ polling is complete: if so, another CPU may
               │ poll from now on
               │ queue:2 (outer q1 netns 1) work=0
               │ completed=yes
      -2.00µs  │                                                 ◆ xsk_rx_reserve
               │                                                 ┃ a receive is about to reserve an RX entry
               │                                                 ┃ socket:5 (outer q1 netns 1) position=161
               │                                                 ┃ len=60
            0  ✗ xsk_rx_publish                                  ┃
                 an RX entry became visible to the application   ┃
                 socket:5 (outer q1 netns 1) position=161        ┃
                 addr=0x22100 len=60                             ┃
      +1.00µs                                                    ○ xsk_rx_write
                                                                   too late: an RX entry is written; the
                                                                   application can't see it yet
                                                                   socket:5 (outer q1 netns 1) position=161
                                                                   addr=0xf1100 len=60

      ┃ CPU 2 was between xsk_rx_reserve and xsk_rx_write for 3.00µs; CPU 0's xsk_rx_publish came 2.00µs into it,
      1.00µs before its end.

    What was expected instead
      claim         an RX entry is published only after it was written, with exactly what was written
      about         socket
      state         reserved, by then
      legal moves   xsk_rx_write → written  an RX entry is written; the application can't see it yet
      instead       xsk_rx_publish came: an RX entry became visible to the application; legal only when written
      source        net/xdp/xsk.c: xsk_flush, __xsk_rcv_zc; drivers/net/veth.c: veth_poll flushed after
                    napi_complete_done"
  `);
});

it('gives a program the same', async () => {
  const { events, expected, leftOut, violation } = await explainRace();
  expect(
    events.map(({ role, ref, offsetNs, tid, comm }) => [role, ref.cpu, ref.kind, offsetNs, tid, comm]),
  ).toEqual([
    ['needed', 0, 'xsk_rx_write', -6000, 11, 'forwarder'],
    ['evidence', 0, 'xsk_napi_complete', -5000, 11, 'forwarder'],
    ['evidence', 2, 'xsk_rx_reserve', -2000, 12, 'iperf2'],
    ['offending', 0, 'xsk_rx_publish', 0, 11, 'forwarder'],
    ['afterwards', 2, 'xsk_rx_write', 1000, 12, 'iperf2'],
  ]);
  expect(expected).toMatchObject({
    states: ['reserved'],
    moves: [{ event: 'xsk_rx_write', to: 'written' }],
    legalIn: ['written'],
    isLegalKind: false,
  });
  expect(leftOut).toBeGreaterThan(800);
  expect(violation.invariant).toBe('xsk.publish-race');
});

it('puts events of one CPU into a table', async () => {
  const path = join(folder, 'ownership.parquet');
  writeStory(path, XSK_STORIES['xsk.ownership']?.().events ?? []);
  const explanation = await explainRecording(path, { invariants: only('xsk.ownership') });
  expect(explanationText(explanation, PLAIN).join('\n')).toMatchInlineSnapshot(`
    "✗ xsk.ownership
      frame 0xf0000 of umem 0 went from FILL to TX on inner q0 (netns 8193) without passing RX

    What had to happen
      2 events of 1042 records: without any one of them it would not have been reported.

           time   after  CPU    thread    event            which is
      ◆ -1.00µs          CPU 1  <idle>-0  xsk_fill_submit  the application put a frame into FILL, some time since
                                                           the last look
                         queue:1 (outer q0 netns 1)  position=7  addr=0xf0000  since -1.50µs
      ✗       0  1.00µs  CPU 1  <idle>-0  xsk_tx_submit    the application put a packet into TX, some time since
                                                           the last look
                         socket:6 (inner q0 netns 8193)  position=3  addr=0xf0000  len=60  since -1.50µs

    What was expected instead
      claim         a frame goes FILL → RX → (FILL or TX), TX → COMP → (FILL or TX), and is never in two places
      about         (umem, frame)
      state         FILL, by then
      legal moves   xsk_rx_write → RX  an RX entry is written; the application can't see it yet
      instead       xsk_tx_submit came: the application put a packet into TX, some time since the last look; legal
                    only when RX, or COMP
      source        Documentation/networking/af_xdp.rst; net/xdp/xsk_queue.h"
  `);
});

it('explains every invariant, no line wider than asked for but for what cannot be broken', async () => {
  const mixed = join(folder, 'mixed.parquet');
  writeStory(mixed, mixedPaths(), []);
  for (const { name } of INVARIANTS) {
    const story = XSK_STORIES[name];
    const path = story ? join(folder, 'one.parquet') : mixed;
    if (story) writeStory(path, story().events);
    else if (name.startsWith('xsk.')) continue;
    const explanation = await explainRecording(path, { invariants: only(name) });
    for (const width of [200, 110, 80, 60]) {
      const lines = explanationText(explanation, { ...PLAIN, width });
      const text = lines.join('\n');
      expect(text).toContain('What had to happen');
      expect(text).toContain('  instead       ');
      for (const { ref, meaning } of explanation.events) {
        expect(text).toContain(ref.kind);
        expect(text.replace(/\s+/g, ' ')).toContain(meaning.split(' ')[0]);
      }
      const wide = lines.filter((line) => line.length > width && line.trim().includes(' '));
      expect(wide, `${name} in ${width}`).toEqual([]);
    }
  }
});

it.each([
  ['fdb.orphaned-neighbour', true],
  ['link.never-advertised', true],
  ['link.stranded', true],
  ['neigh.not-reprogrammed', true],
  ['vxlan.vni-leak', true],
  ['xfrm.dangling-policy', true],
  ['vxlan.create-delete-race', false],
  ['netns.reused-inode', false],
  ['xfrm.self', false],
])('%s: that time ran out is %s', async (name, isDeadline) => {
  const path = join(folder, 'mixed.parquet');
  writeStory(path, mixedPaths(), []);
  const explanation = await explainRecording(path, { invariants: only(name) });
  expect(explanation.isDeadline).toBe(isDeadline);
  const text = explanationText(explanation, { ...PLAIN, width: 500 }).join('\n');
  const { kind } = explanation.violation.at;
  expect(text).toContain(
    isDeadline ? `none of these had come in time when ${kind} showed` : `instead       ${kind} came: `,
  );
});

it('a name longer than the kernel has any is cut', async () => {
  const path = join(folder, 'long.parquet');
  const events = XSK_STORIES['xsk.ownership']?.().events.map((event) => ({ ...event, tid: 11 })) ?? [];
  writeStory(path, events, storyObjects(), { threads: [{ tid: 11, ts: 0, comm: 'x'.repeat(10_000) }] });
  const explanation = await explainRecording(path, { invariants: only('xsk.ownership') });
  const longest = Math.max(...explanationText(explanation, PLAIN).map((line) => line.length));
  expect(longest).toBeLessThanOrEqual(PLAIN.width);
  const race = publishRace().events.map((event) => ({ ...event, tid: 11 }));
  writeStory(path, race, storyObjects(), { threads: [{ tid: 11, ts: 0, comm: '\x1b'.repeat(10_000) }] });
  const side = await explainRecording(path, { invariants: only('xsk.publish-race') });
  const lines = explanationText(side, { ...PLAIN, width: 80 });
  expect(lines.join('\n')).toContain('────  ────');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
});

it('shows hostile names as what they are', async () => {
  const path = join(folder, 'hostile.parquet');
  const nasty = '\x1b[31mred\n\x07\u202eevil';
  const objects = storyObjects().map((entry) => (entry.name === '' ? entry : { ...entry, name: nasty }));
  writeStory(
    path,
    publishRace().events.map((event) => ({ ...event, tid: 11 })),
    objects,
    {
      threads: [{ tid: 11, ts: 0, comm: nasty }],
    },
  );
  const text = explanationText(
    await explainRecording(path, { invariants: only('xsk.publish-race') }),
    PLAIN,
  ).join('\n');
  expect(text).toContain('\\u001b[31mred\\u000a\\u0007\\u202eevil');
  // oxlint-disable-next-line no-control-regex
  expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f\u202e]/);
});
