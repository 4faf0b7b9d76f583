// flightring export on real files: options, what is said, standard output, and damage.

import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { type ExportFlags, runExport } from '../../../src/cli/export-run.ts';
import { HEALTHY, recordingFolder } from './recordings.ts';
import { EVENTS, sampleFolder } from '../export/sample.ts';

class Paper extends Writable {
  text = '';
  isTTY = false;
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

async function run(
  file: string,
  flags: ExportFlags,
  terminal = false,
): Promise<{ out: string; err: string; code: number }> {
  const [out, err] = [new Paper(), new Paper()];
  out.isTTY = terminal;
  const code = await runExport(
    file,
    flags,
    out as unknown as NodeJS.WriteStream,
    err as unknown as NodeJS.WriteStream,
  );
  return { out: out.text, err: err.text, code };
}

test('a file beside the recording, and a line that says so', async () => {
  using folder = sampleFolder();
  const { out, err } = await run(folder.file, { to: 'csv' });
  const written = folder.file.replace('.parquet', '.csv');
  expect(out).toBe('');
  expect(err).toBe(`${written}: ${EVENTS.length} records in ${statSync(written).size} bytes (csv)\n`);
});

test('a recording of a newer version is told of, and exported', async () => {
  using folder = sampleFolder();
  using others = recordingFolder();
  const newer = others.parquet('newer', HEALTHY, { flightring: '9.8.7' });
  const { err, code } = await run(newer, { to: 'ndjson', out: '-' });
  expect(code).toBe(0);
  expect(err).toMatch(/newer\.parquet was made by flightring 9\.8\.7 .*nothing had to be left out\.\n$/);
  expect((await run(folder.file, { to: 'ndjson', out: '-' })).err).toBe('');
});

test('standard output, and nothing else there', async () => {
  using folder = sampleFolder();
  const { out, err } = await run(folder.file, { to: 'ndjson', out: '-', withMeta: true });
  expect(out.trimEnd().split('\n')).toHaveLength(EVENTS.length + 1);
  expect(err).toBe('');
  expect(existsSync(folder.file.replace('.parquet', '.ndjson'))).toBe(false);
});

test('the filters of show', async () => {
  using folder = sampleFolder();
  const lines = async (flags: Omit<ExportFlags, 'to'>): Promise<string[]> => {
    const { out } = await run(folder.file, { to: 'ndjson', out: '-', ...flags });
    return out
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { kind: string }).kind)
      .filter((kind) => kind !== 'gap');
  };
  expect(await lines({ path: 'neigh' })).toEqual(['neigh_exists', 'neigh_update_done']);
  expect(await lines({ tid: '99', kind: 'link_register' })).toEqual(['link_register']);
  expect(await lines({ object: 'neighbour:10.0.0.2' })).toEqual(['neigh_exists', 'neigh_update_done']);
  expect(await lines({ from: '-100ns', until: '5ns' })).toEqual(['xsk_rx_write']);
  await expect(lines({ path: 'xks' })).rejects.toMatchObject({ code: 'UNKNOWN_PATH', exitCode: 2 });
});

test('what makes no sense is refused in a sentence', async () => {
  using folder = sampleFolder();
  await expect(run(folder.file, { to: 'csv', withMeta: true })).rejects.toMatchObject({ code: 'BAD_OPTION' });
  await expect(run(folder.file, { to: 'arrow', out: '-' }, true)).rejects.toMatchObject({ code: 'TERMINAL' });
  await expect(run(join(folder.path, 'no.parquet'), { to: 'csv' })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
  writeFileSync(join(folder.path, 'empty'), '');
  await expect(run(join(folder.path, 'empty'), { to: 'csv' })).rejects.toMatchObject({
    code: 'NOT_A_RECORDING',
  });
});

test('of a damaged recording what is readable is written, and the damage said', async () => {
  using folder = sampleFolder();
  const file = join(folder.path, 'damaged.parquet');
  copyFileSync('recordings/double-fill.parquet', file);
  const bytes = readFileSync(file);
  bytes[2000] = (bytes[2000] as number) ^ 0xff;
  writeFileSync(file, bytes);
  await expect(run(file, { to: 'csv' })).rejects.toMatchObject({ code: 'DAMAGED', exitCode: 2 });
  expect(readFileSync(join(folder.path, 'damaged.csv'), 'utf8')).toMatch(/^seq,ts,/);
});
