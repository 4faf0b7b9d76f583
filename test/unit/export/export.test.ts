// Exports as files and streams: names, modes, what is refused, damage, a full disk, a reader that leaves, and memory.

import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportPath, exportRecording } from '../../../src/export/export.ts';
import { EXPORT_FORMATS, type ExportFormat } from '../../../src/export/formats.ts';
import { writeLargeRecording } from '../../large-recording.ts';
import { EVENTS, sampleFolder } from './sample.ts';

class Paper extends Writable {
  readonly pieces: Buffer[] = [];
  override _write(piece: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.pieces.push(Buffer.from(piece));
    done();
  }
}

test.each(EXPORT_FORMATS)(
  '%s: the same as a file, that only its owner can read, and as a stream',
  async (to) => {
    using folder = sampleFolder();
    const result = await exportRecording(folder.file, { to });
    expect(result).toMatchObject({ path: exportPath(folder.file, to), records: EVENTS.length, damage: null });
    const bytes = readFileSync(result.path as string);
    expect(bytes.length).toBe(result.bytes);
    expect(statSync(result.path as string).mode & 0o777).toBe(0o600);
    const paper = new Paper();
    await exportRecording(folder.file, { to, out: paper });
    expect(Buffer.concat(paper.pieces).equals(bytes)).toBe(true);
  },
);

describe('what is refused leaves everything as it was', () => {
  test('a file that is there, unless it may be written over', async () => {
    using folder = sampleFolder();
    const out = join(folder.path, 'a.csv');
    writeFileSync(out, 'mine');
    await expect(exportRecording(folder.file, { to: 'csv', out })).rejects.toMatchObject({ code: 'EXISTS' });
    expect(readFileSync(out, 'utf8')).toBe('mine');
    await exportRecording(folder.file, { to: 'csv', out, overwrite: true });
    expect(readFileSync(out, 'utf8')).toMatch(/^seq,/);
  });

  test('the recording itself, whatever it is called', async () => {
    using folder = sampleFolder();
    const refused = exportRecording(folder.file, { to: 'csv', out: folder.file, overwrite: true });
    await expect(refused).rejects.toMatchObject({ code: 'SAME_FILE' });
  });

  test('a folder', async () => {
    using folder = sampleFolder();
    mkdirSync(join(folder.path, 'there'));
    const refused = exportRecording(folder.file, {
      to: 'csv',
      out: join(folder.path, 'there'),
      overwrite: true,
    });
    await expect(refused).rejects.toMatchObject({ code: 'NOT_A_FILE' });
  });

  test('a recording without packets, as pcapng', async () => {
    using folder = sampleFolder();
    const file = join(folder.path, 'b.parquet');
    copyFileSync('recordings/bind-collision.parquet', file);
    await expect(exportRecording(file, { to: 'pcapng' })).rejects.toMatchObject({
      code: 'NO_PACKETS',
      exitCode: 2,
    });
    expect(readdirSync(folder.path).sort()).toEqual(['b.parquet', 'sample.parquet']);
  });

  test('a folder that is not there', async () => {
    using folder = sampleFolder();
    const refused = exportRecording(folder.file, { to: 'csv', out: join(folder.path, 'no', 'a.csv') });
    await expect(refused).rejects.toMatchObject({ code: 'WRITE_FAILED' });
  });
});

test.each(EXPORT_FORMATS.filter((to) => to !== 'pcapng'))(
  '%s of a damaged recording has what lies before the damage',
  async (to) => {
    using folder = sampleFolder();
    const whole = join(folder.path, 'whole.parquet');
    writeLargeRecording(whole, 150_000);
    const bytes = readFileSync(whole);
    // In the second of three row groups.
    bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] as number) ^ 0xff;
    const file = join(folder.path, 'damaged.parquet');
    writeFileSync(file, bytes);
    const { damage, records } = await exportRecording(file, { to });
    expect(damage?.rowsReadable).toBe(65_536);
    expect(records).toBe(65_536);
  },
);

test('a reader that leaves early is no error', async () => {
  using folder = sampleFolder();
  const gone = new Writable({
    write(_piece, _encoding, done) {
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    },
  });
  expect(await exportRecording(folder.file, { to: 'ndjson', out: gone })).toMatchObject({ wanted: false });
});

test('a full disk is one sentence, and nothing is left', () => {
  using folder = sampleFolder();
  const large = join(folder.path, 'large.parquet');
  writeLargeRecording(large, 20_000);
  const small = join(folder.path, 'small');
  mkdirSync(small);
  const script = `mount -t tmpfs -o size=64k none ${small} && exec node --import tsx src/cli/main.ts export ${large} --to ndjson -o ${small}/a.ndjson; `;
  const run = spawnSync('unshare', ['-m', 'sh', '-c', `${script}`], { encoding: 'utf8' });
  expect(run.stderr).toContain(
    `${small}/a.ndjson could not be written: the disk is full. Nothing of it was kept.`,
  );
  expect(run.status).toBe(2);
});

describe('memory does not grow with the recording', () => {
  let folder: ReturnType<typeof sampleFolder>;
  let large: string;
  beforeAll(() => {
    folder = sampleFolder();
    large = join(folder.path, 'large.parquet');
    writeLargeRecording(large, 300_000);
  });
  afterAll(() => folder[Symbol.dispose]());

  // 300,000 events as objects take more than twice that.
  test.each(['perfetto', 'chrome', 'ndjson', 'csv', 'arrow', 'ftrace'] satisfies ExportFormat[])(
    '%s with a heap of 48 MiB',
    (to) => {
      const out = join(folder.path, to);
      const program = ['--max-old-space-size=48', '--import', 'tsx', 'src/cli/main.ts'];
      execFileSync('node', [...program, 'export', large, '--to', to, '-o', out], { stdio: 'pipe' });
      expect(statSync(out).size).toBeGreaterThan(10e6);
      rmSync(out);
    },
  );
});
