// Recordings as tables: what the views hold, which files are left out, and how many can be asked at once.

import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openQuery, queryRecordings } from '../../../src/query/query.ts';
import { openRecording } from '../../../src/recording/open.ts';
import { FAULTY, HEALTHY, LOSSY, metaOf, recordingFolder } from '../cli/recordings.ts';
import { layout } from '../recording/sample.ts';
import { writeParquet } from '../../../src/recording/parquet-write.ts';

test('every view tells of a golden recording what the recording says', async () => {
  const file = 'recordings/double-fill.parquet';
  const { meta, rows } = await openRecording(file);
  using query = await openQuery(file);
  const count = async (view: string): Promise<number> =>
    Number((await query.rows<{ n: bigint }>(`SELECT count(*) AS n FROM ${view}`))[0]?.n);
  expect(await count('events')).toBe(rows);
  expect(await count('violations')).toBe(meta.violations.length);
  expect(await count('objects')).toBe(meta.objects.length);
  expect(await count('coverage')).toBe(meta.coverage.length);
  expect(await count('threads')).toBe(meta.threads.length);
  expect(await count('windows')).toBe(meta.freeze?.window.length);
  expect(await count('invariants')).toBe(meta.invariants.length);
  const [first] = meta.violations;
  expect(
    await query.rows(
      'SELECT invariant, object, sentence, ts, time, len(evidence) AS n, evidence[1].seq AS seq FROM violations LIMIT 1',
    ),
  ).toEqual([
    {
      invariant: first?.invariant,
      object: first?.object,
      sentence: first?.sentence,
      ts: BigInt(first?.at.ts ?? 0),
      time: timeOf(first?.at.ts ?? 0, meta.clocks),
      n: BigInt(first?.evidence.length ?? 0),
      seq: BigInt(first?.evidence[0]?.seq ?? 0),
    },
  ]);
  const [event] = await query.rows(
    'SELECT recording, file, time, ts, comm, device, netns FROM events WHERE device IS NOT NULL AND comm IS NOT NULL LIMIT 1',
  );
  expect(event).toMatchObject({ recording: 0, file, comm: 'xsk-forwarder', device: 'inner', netns: 4099n });
  expect(event?.['time']).toBe(timeOf(Number(event?.['ts']), meta.clocks));
  expect(await query.rows('SELECT kernel, cpus, violations FROM recordings')).toEqual([
    { kernel: meta.kernel.release, cpus: meta.kernel.cpus, violations: meta.violations.length },
  ]);
});

/** To the ns, as DuckDB writes it. */
function timeOf(ts: number, clocks: { realtimeNs: string; monotonicNs: string }): string {
  const ns = BigInt(ts) - BigInt(clocks.monotonicNs) + BigInt(clocks.realtimeNs);
  const seconds = new Date(Number(ns / 1_000_000_000n) * 1000).toISOString().slice(0, 19).replace('T', ' ');
  return `${seconds}.${String(ns % 1_000_000_000n).padStart(9, '0')}`.replace(/0+$/, '');
}

test('a field is one column, whatever each file calls it', async () => {
  using folder = recordingFolder();
  const file = join(folder.path, 'other.parquet');
  // In this recording `position` has two types, and the file a column for each.
  const layouts = [
    layout('gap', 0, 'recorder', { lost: 'u64', reason: 'reason', bank: 'u32' }),
    layout('xsk_fill_submit', 1, 'xsk', { object: 'object', position: 'position', addr: 'umem_addr' }),
    layout('sockiter_show', 2, 'sockiter', { iterator: 'cookie', position: 'u64' }),
    layout('newer_kind', 3, 'newer', { iterator: 'cookie', novelty: 'u32' }),
  ];
  const lanes = new Uint32Array(3 * 16);
  for (const [slot, kind] of [1, 2, 3].entries()) {
    lanes.set([slot, 0, 1000 + slot, 0, 7, 7, kind, 0, slot, 0, 40 + slot, 0], slot * 16);
  }
  writeParquet({ meta: metaOf([], { layouts, flightring: '9.9.9' }), batches: [{ lanes, slots: 3 }] }, file);
  using query = await openQuery([folder.parquet('a', HEALTHY), file]);
  expect(
    await query.rows(`SELECT kind, "position", novelty FROM events WHERE recording = 1 ORDER BY seq`),
  ).toEqual([
    { kind: 'xsk_fill_submit', position: expect.anything(), novelty: null },
    { kind: 'sockiter_show', position: 41n, novelty: null },
    { kind: 'newer_kind', position: null, novelty: 42 },
  ]);
  expect(
    await query.rows(
      `SELECT DISTINCT "position" FROM events WHERE recording = 0 AND kind = 'xsk_fill_submit' ORDER BY 1`,
    ),
  ).toEqual([{ position: 0n }, { position: 1n }]);
});

test('folders of the form key=value are columns of every view, dates as dates', async () => {
  using folder = recordingFolder();
  for (const [host, date] of [
    ['a', '2026-11-20'],
    ['a', '2026-11-21'],
    ['b%20c', '2026-11-21'],
  ]) {
    const place = join(folder.path, `host=${host}`, `date=${date}`);
    mkdirSync(place, { recursive: true });
    copyFileSync(folder.parquet('a', FAULTY), join(place, 'r.parquet'));
  }
  using query = await openQuery(join(folder.path, 'host=*', '**', '*.parquet'));
  expect(
    await query.rows(`SELECT host, date, count(*)::INTEGER AS n, typeof(any_value(date)) AS type FROM events
      WHERE date >= DATE '2026-11-21' GROUP BY ALL ORDER BY host`),
  ).toEqual([
    { host: 'a', date: '2026-11-21', n: 6, type: 'DATE' },
    { host: 'b c', date: '2026-11-21', n: 6, type: 'DATE' },
  ]);
  expect(
    await query.rows('SELECT host, count(*)::INTEGER AS n FROM violations GROUP BY ALL ORDER BY host'),
  ).toEqual([
    { host: 'a', n: 2 },
    { host: 'b c', n: 1 },
  ]);
  expect(await query.rows(await query.question('violations'))).toMatchObject([
    { host: 'a', violations: 2n },
    { host: 'b c', violations: 1n },
  ]);
});

test('a key that some paths lack is NULL there, and one that is the name of a column makes none', async () => {
  using folder = recordingFolder();
  const place = join(folder.path, 'host=a', 'kind=mine');
  mkdirSync(place, { recursive: true });
  copyFileSync(folder.parquet('a', HEALTHY), join(place, 'r.parquet'));
  using query = await openQuery(folder.path);
  expect(
    await query.rows(
      'SELECT host, min(kind) AS kind, count(*)::INTEGER AS n FROM events GROUP BY host ORDER BY host',
    ),
  ).toEqual([
    { host: 'a', kind: 'xsk_comp_submit', n: 5 },
    { host: null, kind: 'xsk_comp_submit', n: 5 },
  ]);
});

test('hostile names of files and threads are only text', async () => {
  using folder = recordingFolder();
  const comm = `x\u001b[2J'"; --`;
  const name = `a'b[1]*?"\n\u001b\\`;
  folder.parquet(name, HEALTHY, { threads: [{ tid: 1, ts: 0, comm: `=1+1\ud800\0${comm}` }] });
  folder.parquet('<b>', HEALTHY);
  using query = await openQuery(folder.path);
  expect(
    (await query.rows<{ file: string }>('SELECT file FROM events GROUP BY file ORDER BY file')).map(
      ({ file }) => file,
    ),
  ).toEqual([join(folder.path, '<b>.parquet'), join(folder.path, `${name}.parquet`)]);
  const [thread] = await query.rows<{ comm: string }>(`SELECT comm FROM threads WHERE file LIKE '%[1]%'`);
  expect(thread?.comm).toContain(comm);
});

test('what can not be read is left out with a sentence, and the rest is asked', async () => {
  using folder = recordingFolder();
  const good = folder.parquet('good', HEALTHY);
  folder.raw('slots', HEALTHY);
  const broken = (name: string, change: (path: string, bytes: Buffer) => void): void => {
    const path = folder.parquet(name, HEALTHY);
    change(path, readFileSync(path));
  };
  broken('cut', (path, bytes) => truncateSync(path, bytes.length - 100));
  broken('flipped', (path, bytes) => {
    bytes[60] = (bytes[60] as number) ^ 0x10;
    writeFileSync(path, bytes);
  });
  broken('longer', (path) => appendFileSync(path, 'PAR1'));
  writeFileSync(join(folder.path, 'empty.parquet'), '');
  writeFileSync(join(folder.path, 'text.parquet'), 'not a recording');
  symlinkSync('nowhere', join(folder.path, 'link.parquet'));
  copyFileSync('/dev/null', join(folder.path, 'null.parquet'));
  using query = await openQuery(folder.path);
  expect(query.files).toEqual([good]);
  expect(query.leftOut.map(({ file, code }) => `${file.slice(folder.path.length + 1)} ${code}`)).toEqual([
    'cut.parquet TRUNCATED',
    'empty.parquet NOT_A_RECORDING',
    'flipped.parquet DAMAGED',
    'link.parquet NOT_FOUND',
    'longer.parquet BAD_FOOTER',
    'null.parquet NOT_A_RECORDING',
    'slots.raw RAW',
    'text.parquet NOT_A_RECORDING',
  ]);
  for (const { message } of query.leftOut) expect(message).toMatch(/^[^\n]+\.$/);
  expect(await query.rows('SELECT count(*)::INTEGER AS n FROM events')).toEqual([{ n: 5 }]);
  await expect(openQuery(join(folder.path, 'text.parquet'))).rejects.toMatchObject({
    code: 'NOT_A_RECORDING',
    exitCode: 2,
  });
  await expect(
    openQuery([join(folder.path, 'text.parquet'), join(folder.path, 'cut.parquet')]),
  ).rejects.toThrow(/^None of these 2 files can be asked:\n/);
});

test('a Parquet file that is not ours is left out', async () => {
  using folder = recordingFolder();
  const file = join(folder.path, 'theirs.parquet');
  {
    using query = await openQuery(folder.parquet('a', HEALTHY), { output: file });
    expect(await query.saveParquet('SELECT kind, ts FROM events')).toBe(5);
    await expect(query.saveParquet('CREATE TABLE t (a INTEGER)')).rejects.toMatchObject({
      code: 'NOT_A_QUESTION',
    });
    await expect(query.saveParquet('SELECT nothing FROM events')).rejects.toThrow(/LINE 1/);
  }
  await expect(openQuery(file)).rejects.toMatchObject({ exitCode: 2 });
  await expect(openQuery(folder.path, { output: join(folder.path, 'a.parquet') })).rejects.toMatchObject({
    code: 'BAD_OUTPUT',
  });
});

test('places without a recording are told in one sentence', async () => {
  using folder = recordingFolder();
  for (const place of [
    folder.path,
    join(folder.path, '*.parquet'),
    join(folder.path, 'none.parquet'),
    'https://example.org/*.parquet',
  ])
    await expect(openQuery(place), place).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/^[^\n]+\.$/),
    });
  await expect(openQuery(folder.parquet('a', HEALTHY), { memory: 'much' })).rejects.toMatchObject({
    code: 'BAD_OPTION',
  });
});

test('a recording without a single event has no rows, and its tables', async () => {
  using folder = recordingFolder();
  const empty = folder.parquet('empty', []);
  expect(await queryRecordings(empty, 'SELECT * FROM events')).toEqual([]);
  expect(await queryRecordings(empty, 'SELECT "rows" FROM recordings')).toEqual([{ rows: 0n }]);
  expect(
    await queryRecordings(
      [empty, folder.parquet('a', HEALTHY)],
      'SELECT recording, count(*)::INTEGER AS n FROM events GROUP BY ALL',
    ),
  ).toEqual([{ recording: 1, n: 5 }]);
});

test('gaps are told with their reason in words', async () => {
  using folder = recordingFolder();
  expect(await queryRecordings(folder.parquet('a', LOSSY), 'SELECT cpu, lost, reason, ts FROM gaps')).toEqual(
    [{ cpu: 1, lost: 9n, reason: 'overwritten before they were read', ts: 70_000n }],
  );
});

test('a thousand recordings are one table', async () => {
  using folder = recordingFolder();
  const [one, other] = [folder.parquet('one', HEALTHY), folder.parquet('other', FAULTY)];
  for (let host = 0; host < 10; host++) {
    const place = join(folder.path, `host=h${host}`);
    mkdirSync(place);
    for (let i = 0; i < 100; i++) copyFileSync(i % 2 ? one : other, join(place, `${i}.parquet`));
  }
  using query = await openQuery(join(folder.path, 'host=*', '*.parquet'));
  expect(query.files).toHaveLength(1000);
  expect(
    await query.rows('SELECT count(*)::INTEGER AS n, count(DISTINCT file)::INTEGER AS files FROM events'),
  ).toEqual([{ n: 5500, files: 1000 }]);
  expect(
    await query.rows(`SELECT host, count(*)::INTEGER AS n FROM violations WHERE host = 'h3' GROUP BY ALL`),
  ).toEqual([{ host: 'h3', n: 50 }]);
  const life = await query.rows(await query.question('life', { object: 'frame:0x1000@umem:0' }));
  expect(life).toHaveLength(5500);
});

test('an answer larger than its memory goes to the disk', async () => {
  using folder = recordingFolder();
  using query = await openQuery(folder.parquet('a', HEALTHY), { memory: '64MB', threads: 1 });
  const { batches } = await query.run(
    'SELECT range AS n, md5(range::VARCHAR) AS h FROM range(1500000) ORDER BY h',
  );
  let rows = 0;
  for await (const batch of batches()) rows += batch.length;
  expect(rows).toBe(1_500_000);
});
