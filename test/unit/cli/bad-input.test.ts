// Files that are no recordings, of a newer version, empty, or full of hostile names: one clear sentence each, and nothing a terminal obeys.

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, test } from 'vitest';
import { type CheckFlags, runCheck } from '../../../src/cli/check-run.ts';
import { runDiff } from '../../../src/cli/diff-run.ts';
import { runExplain } from '../../../src/cli/explain-run.ts';
import { runReport } from '../../../src/cli/report-run.ts';
import { show } from '../../../src/cli/show-run.ts';
import { runShrink } from '../../../src/cli/shrink-run.ts';
import { LAYOUTS } from '../../../src/generated/layouts.ts';
import { EXIT } from '../../../src/model/errors.ts';
import type { RecordLayout } from '../../../src/model/layout.ts';
import type { RecordingMeta } from '../../../src/model/recording.ts';
import { openRecording } from '../../../src/recording/open.ts';
import { pageOf } from '../page/pages.ts';
import { FAULTY, HEALTHY, Paper, recordingFolder } from './recordings.ts';

type Streams = [NodeJS.WriteStream, NodeJS.WriteStream];

async function check(file: string, flags: Partial<CheckFlags> = {}) {
  const [out, err] = [new Paper(), new Paper()];
  const streams = [out, err] as unknown as [NodeJS.WriteStream, NodeJS.WriteStream];
  const code = await runCheck([file], { color: true, ...flags }, ...streams);
  return { code, out: out.text, err: err.text };
}

async function shown(file: string): Promise<{ code: number; out: string }> {
  const out = new Paper();
  const code = await show(file, { color: true }, out as unknown as NodeJS.WriteStream);
  return { code, out: out.text };
}

async function sql(text: string): Promise<void> {
  const connection = await (await DuckDBInstance.create()).connect();
  await connection.run(text);
  connection.closeSync();
}

describe('a Parquet file that is not ours', () => {
  test('lacks the description, the checksums and the columns', async () => {
    using folder = recordingFolder();
    const file = join(folder.path, 'sales.parquet');
    await sql(`copy (select range as id, 'x' as path from range(100)) to '${file}' (format parquet)`);
    const { code, err } = await check(file);
    expect(code).toBe(EXIT.badInput);
    expect(err).toMatch(
      /sales\.parquet is a Parquet file of \d+ bytes, written by DuckDB.*, but no recording: it lacks the description \(the key "flightring" in its footer\), the block of checksums before its footer and the columns seq, ts, cpu, tid, .*device\.\n$/,
    );
  });

  test('or was one before another program wrote it anew', async () => {
    using folder = recordingFolder();
    const original = folder.parquet('a', HEALTHY);
    const file = join(folder.path, 'b.parquet');
    const description = JSON.stringify({ format: 1 });
    await sql(
      `copy (from '${original}') to '${file}' (format parquet, kv_metadata {flightring: '${description}'})`,
    );
    const { code, err } = await check(file);
    expect(code).toBe(EXIT.badInput);
    expect(err).toMatch(
      /written anew, written by DuckDB.*, so that nothing vouches for it; use the original: it lacks the block of checksums before its footer\.\n$/,
    );
  });
});

/** Another text of the same length in the description, with right checksums: src/recording/integrity.ts. */
function patch(file: string, from: string, to: string): void {
  const bytes = readFileSync(file);
  const footerAt = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8);
  const blockAt = footerAt - bytes.readUInt32LE(footerAt - 8);
  bytes.write(to, bytes.indexOf(from, footerAt));
  bytes.writeUInt32LE(crc32(bytes.subarray(footerAt)), blockAt + 16);
  bytes.writeUInt32LE(crc32(bytes.subarray(blockAt, footerAt - 4)), footerAt - 4);
  writeFileSync(file, bytes);
}

describe('a recording of a newer version', () => {
  const tomorrow: RecordLayout = {
    kind: 'xsk_teleport',
    number: 0x7000,
    path: 'xsk',
    size: 64,
    slots: 1,
    fields: [{ name: 'colour', type: 'u32', offset: 32, size: 4 }],
  };

  test('with the same format reads like any other', async () => {
    using folder = recordingFolder();
    const { code, out } = await check(folder.parquet('a', HEALTHY, { flightring: '9.8.7' }));
    expect(code).toBe(EXIT.fine);
    expect(out).toContain(
      'made by flightring 9.8.7 (format 1), newer than this one (0.1.0); what is known here was read; nothing had to be left out',
    );
  });

  test('is called so by every command that looks at it, and by its report', async () => {
    using folder = recordingFolder();
    const file = folder.parquet('a', FAULTY, { flightring: '9.8.7' });
    const out = join(folder.path, 'out.parquet');
    for (const run of [
      (...streams: Streams) => runExplain(file, { color: false }, ...streams),
      (...streams: Streams) => runShrink(file, { color: false, out }, ...streams),
      (...streams: Streams) => runDiff(file, out, { threshold: '1.5', limit: '9', color: false }, ...streams),
      (...streams: Streams) => runReport(file, {}, ...streams),
    ]) {
      const err = new Paper();
      await run(...([new Paper(), err] as unknown as Streams));
      expect(err.text).toMatch(
        /^flightring: .*a\.parquet was made by flightring 9\.8\.7 \(format 1\), newer/,
      );
    }
    const { facts } = await pageOf(file);
    expect(facts.troubles).toContainEqual(expect.stringContaining('was made by flightring 9.8.7'));
  });

  test('is read as far as it is known; what is not is named', async () => {
    using folder = recordingFolder();
    const file = folder.parquet('a', HEALTHY, {
      flightring: '9.8.7',
      layouts: [...LAYOUTS, tomorrow],
      weather: 'fine',
    } as Partial<RecordingMeta>);
    patch(file, '"format":1', '"format":2');
    patch(file, '"type":"u32","offset":32,"size":4}]}]', '"type":"i99","offset":32,"size":4}]}]');
    const { code, out } = await check(file);
    expect(code).toBe(EXIT.incomplete);
    expect(out).toMatch(/^xsk\.ownership {2}holds/m);
    expect(out).toMatch(
      /made by flightring 9\.8\.7 \(format 2\), newer than this one.*left out: 3 \(meta\.layouts\[\d+\]\.fields\[0\], meta\.weather, column colour\)/,
    );
    const { newer } = await openRecording(file);
    expect(newer).toMatchObject({ flightring: '9.8.7', format: 2 });
    expect((await shown(file)).code).toBe(EXIT.incomplete);
  });

  test('what needs a kind that is told otherwise is not judged', async () => {
    using folder = recordingFolder();
    const file = folder.parquet('a', FAULTY, { flightring: '9.8.7' });
    const { number } = LAYOUTS.find(({ kind }) => kind === 'xsk_rx_write') as RecordLayout;
    const layout = `"kind":"xsk_rx_write","number":${number},"path":"xsk","size":64,"slots":`;
    patch(file, `${layout}1`, `${layout}9`);
    const { code, out } = await check(file);
    expect(code).toBe(EXIT.incomplete);
    expect(out).toMatch(/^xsk\.ownership {2}unknown .*can't read all of xsk_rx_write as the newer version/m);
    expect(out).toContain('kind xsk_rx_write');
  });

  test('whose description is another is refused, with both versions', async () => {
    using folder = recordingFolder();
    const file = folder.parquet('a', HEALTHY, { flightring: '9.8.7' });
    patch(file, '"kernel":{', '"colonl":{');
    const { code, err } = await check(file);
    expect(code).toBe(EXIT.badInput);
    expect(err).toMatch(
      /made by flightring 9\.8\.7 \(format 1\), which is newer than this one \(0\.1\.0, format 1\) and can't be read by it: .*meta\.kernel/,
    );
  });
});

test('a file that is gone when it is read is told in words', async () => {
  using folder = recordingFolder();
  for (const file of [folder.parquet('a', HEALTHY), folder.raw('b', HEALTHY)]) {
    const recording = await openRecording(file);
    rmSync(file);
    expect(() => [...recording.batches()]).toThrow(`There is no recording ${file}.`);
  }
});

test('a recording of no events is judged: nothing is known', async () => {
  using folder = recordingFolder();
  const file = folder.parquet('empty', []);
  const { code, out } = await check(file);
  expect(code).toBe(EXIT.fine);
  expect(out).toMatch(/empty\.parquet {2}0 events/);
  expect(out).toMatch(/^xsk\.ownership {2}unknown .*the recording has none of the events it needs$/m);
  expect((await shown(file)).out).toContain('# no event to show');
});

describe('hostile text', () => {
  const nasty = 'a\x1b]0;owned\x07\x1b[2J\u009b31m\r\nb\u202eexe\u2028<script>';
  const isObeyed = /[\p{Cc}\u2028\u202e]/u;

  function hostile(folder: ReturnType<typeof recordingFolder>): string {
    return folder.parquet('a', FAULTY, {
      kernel: { release: nasty, machine: nasty, cpus: 2 },
      notes: [nasty],
      threads: [{ tid: 71, ts: 0, comm: nasty }],
      flightring: `9.${nasty}`,
      violations: [
        {
          invariant: nasty,
          severity: 'violation',
          orderDependent: false,
          object: nasty,
          sentence: nasty,
          at: { cpu: 0, seq: 4, ts: 60_000, kind: 'xsk_tx_submit' },
          evidence: [],
        },
      ],
      outOfWindow: [],
    });
  }

  test.each([check, shown])('%o obeys none of it', async (command) => {
    using folder = recordingFolder();
    const { out } = await command(hostile(folder));
    const lines = out.split('\n');
    expect(lines.filter((line) => isObeyed.test(line))).toEqual([]);
    expect(out).toContain(
      'a\\u001b]0;owned\\u0007\\u001b[2J\\u009b31m\\u000d\\u000ab\\u202eexe\\u2028<script>',
    );
  });

  test('JSON keeps it as it was, without a byte that a terminal obeys', async () => {
    using folder = recordingFolder();
    const { out } = await check(hostile(folder), { json: true });
    expect(isObeyed.test(out.trimEnd())).toBe(false);
    expect(JSON.parse(out)).toMatchObject({ notes: [nasty] });
  });

  test("a file's name, too", async () => {
    using folder = recordingFolder();
    const file = join(folder.path, 'a\x1b[31m\rb.parquet');
    writeFileSync(file, 'PAR1PAR1');
    const { err } = await check(file);
    expect(isObeyed.test(err.trimEnd())).toBe(false);
  });
});
