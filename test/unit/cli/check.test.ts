// flightring check on real files: verdicts, the live verdict beside them, exit statuses, and modules of the user's own.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type CheckFlags, runCheck } from '../../../src/cli/check-run.ts';
import { EXIT } from '../../../src/model/errors.ts';
import { FAULTY, HEALTHY, LOSSY, metaOf, Paper, recordingFolder } from './recordings.ts';

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function check(files: readonly string[], flags: Partial<CheckFlags> = {}): Promise<Outcome> {
  const [out, err] = [new Paper(), new Paper()];
  const code = await runCheck(
    files,
    { color: true, ...flags },
    out as unknown as NodeJS.WriteStream,
    err as unknown as NodeJS.WriteStream,
  );
  return { code, out: out.text, err: err.text };
}

test('a healthy recording holds and is fine', async () => {
  using folder = recordingFolder();
  const { code, out, err } = await check([folder.parquet('healthy', HEALTHY)]);
  expect(code).toBe(EXIT.fine);
  expect(out).toMatch(/^xsk\.ownership {2}holds {5}5 events checked$/m);
  expect(out).toContain('live verdict reproduced: 0 of 0, event for event');
  expect(err).toBe('');
  expect(out).not.toContain('\x1b');
});

test.each(['parquet', 'raw'] as const)(
  'a violation is told, and equals the live one event for event (%s)',
  async (form) => {
    using folder = recordingFolder();
    const { code, out } = await check([folder[form]('faulty', FAULTY)]);
    expect(code).toBe(EXIT.violation);
    expect(out).toContain('xsk.ownership is violated');
    expect(out).toContain(
      'frame 0x1000 of umem 0 went from FILL to TX on inner q0 (netns 1) without passing RX',
    );
    expect(out).toMatch(/^xsk\.ownership {2}violated {2}6 events checked; broken once$/m);
    expect(out).toContain('live verdict reproduced: 1 of 1, event for event');
  },
);

test('a verdict other than the live one is told difference by difference', async () => {
  using folder = recordingFolder();
  const [live] = metaOf(FAULTY).violations;
  if (!live) throw new Error('the fault was not found');
  const moved = { ...live, at: { ...live.at, seq: 99 } };
  const reworded = { ...live, sentence: 'something else' };
  const elsewhere = await check([folder.parquet('moved', FAULTY, { violations: [moved] })]);
  expect(elsewhere.out).toContain('live verdict reproduced: 0 of 1\n');
  expect(elsewhere.out).toMatch(/only live.*event 99\n {2}only now .*event 4/);
  const changed = await check([folder.parquet('reworded', FAULTY, { violations: [reworded] })]);
  expect(changed.out).toMatch(/was live.*something else.*\n {2}is now .*went from FILL to TX/);
});

test('violations whose history lies before the window count, and are not missed', async () => {
  using folder = recordingFolder();
  const violations = metaOf(FAULTY).violations;
  const { code, out } = await check([
    folder.parquet('before', HEALTHY, { violations, outOfWindow: violations }),
  ]);
  expect(code).toBe(EXIT.violation);
  expect(out).toContain('seen live; its history lies before the window');
  expect(out).toContain('live verdict reproduced: 0 of 0, event for event');
  expect(out).toMatch(/^xsk\.ownership {2}violated/m);
});

test('lost events leave the verdict unknown', async () => {
  using folder = recordingFolder();
  const { code, out } = await check([folder.parquet('lossy', LOSSY)]);
  expect(code).toBe(EXIT.incomplete);
  expect(out).toMatch(
    /^xsk\.ownership {2}unknown {3}5 events checked; 1 object became unknown where history was missing$/m,
  );
  expect(out).toContain('lost: 9 events');
});

test('a kind that no attached probe writes leaves the verdict unknown', async () => {
  using folder = recordingFolder();
  const coverage = [
    {
      probe: 'xsk_rcv_end',
      path: 'xsk',
      target: '__xsk_rcv_zc',
      method: null,
      status: 'inlined',
      reason: null,
    } as const,
  ];
  const { code, out } = await check([folder.parquet('blind', HEALTHY, { coverage })]);
  expect(code).toBe(EXIT.fine);
  expect(out).toMatch(/unknown .*no probe that writes xsk_rx_write was attached/);
});

test('a damaged recording is checked as far as it can be read, and says where the damage is', async () => {
  using folder = recordingFolder();
  const file = folder.raw('damaged', Array.from({ length: 600 }, () => HEALTHY).flat());
  const bytes = readFileSync(file);
  bytes[4096 + 1500 * 64] = 0xff;
  writeFileSync(file, bytes);
  const { code, out, err } = await check([file]);
  expect(code).toBe(EXIT.badInput);
  expect(err).toMatch(/damaged between byte 69632 and 135168; \d+ of \d+ events could be checked/);
  expect(out).toMatch(/xsk\.ownership/);
});

test('of several files each is checked, and the worst decides', async () => {
  using folder = recordingFolder();
  const good = folder.parquet('good', HEALTHY);
  const bad = folder.parquet('bad', FAULTY);
  expect((await check([bad, good])).code).toBe(EXIT.violation);
  const { code, out, err } = await check([join(folder.path, 'none.parquet'), bad, good]);
  expect(code).toBe(EXIT.badInput);
  expect(err).toContain('There is no recording');
  expect(out.match(/live verdict reproduced/g)).toHaveLength(2);
});

test('--json is one object per recording and line, and one with the summary; --quiet says nothing', async () => {
  using folder = recordingFolder();
  const files = [folder.parquet('a', FAULTY), folder.parquet('b', HEALTHY)];
  const { out } = await check(files, { json: true });
  const facts = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(facts).toMatchObject([
    {
      path: files[0],
      events: 6,
      violations: [{ invariant: 'xsk.ownership', at: { cpu: 0, seq: 4, kind: 'xsk_tx_submit' } }],
      live: { live: 1, reproduced: 1 },
    },
    { path: files[1], events: 5, violations: [], verdicts: [{ verdict: 'holds' }] },
    { summary: { recordings: 2, events: 11, violated: [files[0]], unreadable: [] } },
  ]);
  expect(await check(files, { quiet: true })).toEqual({ code: EXIT.violation, out: '', err: '' });
});

test('the invariant of the documentation runs, in TypeScript, and a warning is no violation', async () => {
  using folder = recordingFolder();
  const short = [{ kind: 'xsk_rx_write', ts: 20_000, object: 2, position: 0, addr: 0x1000, len: 42 }];
  const example = 'docs/examples/short-packets.ts';
  const { code, out } = await check([folder.parquet('short', short)], {
    invariants: `xsk.ownership,${example}`,
  });
  expect(code).toBe(EXIT.fine);
  expect(out).toContain('mine.short-packets warns');
  expect(out).toContain('socket 2 was given a packet of 42 bytes, shorter than 60');
  expect((await check([folder.parquet('long', HEALTHY)], { invariants: example })).out).toMatch(
    /^mine\.short-packets {2}holds/m,
  );
  const source = readFileSync(example, 'utf8')
    .replaceAll(/^ *(\/\/|\/\*\*).*\n/gm, '')
    .trim();
  const documented = /```ts\n([^]*?)```/
    .exec(readFileSync('docs/writing-an-invariant.md', 'utf8'))?.[1]
    ?.trim();
  expect(documented).toBe(source);
});

const STEP = `needs: ['xsk_rx_write'], start: () => ({ step() {} })`;
const CLAIM = `name: 'mine.x', claim: 'c', object: 'o', source: 's'`;

test.each([
  ['a syntax error', `export default {\n  name: = 3\n};`, /mine\.ts:2:\d+: /],
  [
    'an error while it loads',
    `const list: string[] = [];\nexport default list[0].length;`,
    /mine\.ts:2:\d+: /,
  ],
  ['no default export', `export const x = 1;`, /mine\.ts: its default export (is missing|has no name)/],
  ['an empty list', `export default [];`, /exports no invariant/],
  ['no claim', `export default [{ name: 'mine.x' }];`, /entry 0 of its default export has no claim/],
  [
    'an unknown kind',
    `export default { ${CLAIM}, needs: ['xsk_rx_writ'], start() {} };`,
    /xsk_rx_writ, which doesn't exist; of xsk there are .*xsk_rx_write/,
  ],
  ['no start', `export default { ${CLAIM}, needs: ['xsk_rx_write'] };`, /\(mine\.x\) has no start/],
  [
    'a wrong severity',
    `export default { ${CLAIM}, severity: 'fatal', ${STEP} };`,
    /has severity "fatal"; it is "violation" or "warning"/,
  ],
  [
    'a name that is taken',
    `export default { ${CLAIM.replace('mine.x', 'xsk.ownership')}, ${STEP} };`,
    /two invariants called xsk\.ownership/,
  ],
  [
    'an import of nothing',
    `import './nowhere.ts';\nexport default { ${CLAIM}, ${STEP} };`,
    /mine\.ts.*nowhere\.ts/,
  ],
])('a module with %s is refused in one line', async (_what, source, message) => {
  using folder = recordingFolder();
  const module = join(folder.path, 'mine.ts');
  writeFileSync(module, source);
  const refused = await check([folder.parquet('healthy', HEALTHY)], { invariants: `all,${module}` }).catch(
    (error: unknown) => error,
  );
  expect(refused).toMatchObject({
    exitCode: EXIT.badInput,
    message: expect.stringMatching(message) as string,
  });
  expect((refused as Error).message).not.toContain('\n');
});

test('an error thrown by a step names the line of the module', async () => {
  using folder = recordingFolder();
  const module = join(folder.path, 'mine.ts');
  writeFileSync(
    module,
    `export default { ${CLAIM},\n  needs: ['xsk_rx_write'],\n  start: () => ({ step() {\n    throw new Error('oh no');\n  } }) };\n`,
  );
  const { code, err } = await check([folder.parquet('healthy', HEALTHY)], { invariants: module });
  expect(code).toBe(EXIT.badInput);
  expect(err).toMatch(/mine\.ts:4:\d+: oh no/);
});

test('modules import each other, JavaScript too, and flightring from anywhere', async () => {
  using folder = recordingFolder();
  writeFileSync(join(folder.path, 'limit.ts'), 'export const limit: number = 100;');
  const module = join(folder.path, 'mine.mjs');
  writeFileSync(
    module,
    `import { defineInvariant } from 'flightring';\nimport { limit } from './limit.ts';\nexport default [defineInvariant({ ${CLAIM}, needs: ['xsk_rx_write'],
    start: ({ violate }) => ({ step(event) { if (event.u32('len') < limit) violate({ object: 'socket 2', sentence: 'short' }); } }) })];`,
  );
  const { code, out } = await check([folder.parquet('healthy', HEALTHY)], { invariants: module });
  expect(code).toBe(EXIT.violation);
  expect(out).toContain('no live verdict to compare with');
});

test('a wrong name of an invariant gets the nearest right one', async () => {
  await expect(check(['x'], { invariants: 'xsk.ownershp' })).rejects.toThrow(
    /xsk\.ownershp.*did you mean xsk\.ownership/,
  );
  await expect(check(['x'], { invariants: 'xsk,' })).rejects.toThrow(/needs names or files/);
});
