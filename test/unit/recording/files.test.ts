// Files that appear whole or not at all: two writers of one name, and names that are no files.

import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createPart, expectPlace, writeAll } from '../../../src/recording/files.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flightring-files-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('of two that write one file the later one wins, and neither gives its name to half a file', () => {
  const path = join(folder, 'a.csv');
  const [first, second] = [createPart(path), createPart(path)];
  writeAll(first.fd, Buffer.from('first'));
  writeAll(second.fd, Buffer.from('sec'));
  expect(() => first.commit()).toThrow(
    /another process writes it at the same time\. Nothing of this one was kept\.$/,
  );
  writeAll(second.fd, Buffer.from('ond'));
  second.commit();
  expect(readFileSync(path, 'utf8')).toBe('second');
  expect(readdirSync(folder)).toEqual(['a.csv']);
});

test('one that gives up leaves the other’s file alone', () => {
  const path = join(folder, 'a.csv');
  const [first, second] = [createPart(path), createPart(path)];
  first.discard();
  writeAll(second.fd, Buffer.from('second'));
  second.commit();
  expect(readFileSync(path, 'utf8')).toBe('second');
});

test('a device, a link to one and a folder are never replaced', () => {
  const link = join(folder, 'null');
  symlinkSync('/dev/null', link);
  for (const path of [link, folder, '/dev/null']) {
    expect(() => createPart(path)).toThrow(/is not a file; give the name of one\.$/);
    expect(() => expectPlace(path)).toThrow(/is not a file/);
  }
  expect(readlinkSync(link)).toBe('/dev/null');
  expect(() => expectPlace(join(folder, 'none', 'a.parquet'))).toThrow(/could not be written: ENOENT/);
});
