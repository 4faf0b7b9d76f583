// Files, folders and patterns become the same list of recordings every time.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UsageError } from '../../../src/model/errors.ts';
import { findRecordings } from '../../../src/recording/find.ts';

let root: string;
const FILES = [
  'b.parquet',
  'a.parquet',
  'c.raw',
  'notes.md',
  'd.parquet.part',
  '.hidden.parquet',
  '.cache/e.parquet',
  'host=x/date=2026-11-02/f.parquet',
  'host=x/date=2026-11-01/g.parquet',
  'host=y/date=2026-11-01/h.parquet',
  'odd/[1].parquet',
  'odd/1.parquet',
  'empty/readme.txt',
];

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'flightring-find-'));
  for (const file of FILES) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), '');
  }
  symlinkSync(root, join(root, 'odd/loop'));
  symlinkSync(join(root, 'a.parquet'), join(root, 'odd/link.parquet'));
  symlinkSync(join(root, 'nowhere'), join(root, 'odd/broken.parquet'));
});
afterAll(() => rmSync(root, { recursive: true }));

function find(...places: string[]): string[] {
  return findRecordings(places.map((place) => join(root, place))).map((file) => file.slice(root.length + 1));
}

describe('recordings are found', () => {
  test('in a folder and below, sorted, without hidden and unfinished ones', () => {
    expect(find('')).toEqual([
      'a.parquet',
      'b.parquet',
      'c.raw',
      'host=x/date=2026-11-01/g.parquet',
      'host=x/date=2026-11-02/f.parquet',
      'host=y/date=2026-11-01/h.parquet',
      'odd/1.parquet',
      'odd/[1].parquet',
      'odd/link.parquet',
    ]);
    expect(findRecordings([root], { endings: ['.raw'] })).toEqual([join(root, 'c.raw')]);
  });

  test.each([
    ['*.parquet', ['a.parquet', 'b.parquet']],
    ['?.{raw,parquet}', ['a.parquet', 'b.parquet', 'c.raw']],
    ['[!a].parquet', ['b.parquet']],
    ['[a-b].parquet', ['a.parquet', 'b.parquet']],
    ['host=*/date=2026-11-01/*', ['host=x/date=2026-11-01/g.parquet', 'host=y/date=2026-11-01/h.parquet']],
    ['host=x/**/*.parquet', ['host=x/date=2026-11-01/g.parquet', 'host=x/date=2026-11-02/f.parquet']],
    ['host=x/**', ['host=x/date=2026-11-01/g.parquet', 'host=x/date=2026-11-02/f.parquet']],
    ['host=?', find.bind(null, 'host=x', 'host=y')],
    ['**/g.parquet', ['host=x/date=2026-11-01/g.parquet']],
    ['.h*.parquet', ['.hidden.parquet']],
    ['odd/[[]1].parquet', ['odd/[1].parquet']],
  ])('by the pattern %s', (pattern, wanted) => {
    expect(find(pattern)).toEqual(typeof wanted === 'function' ? wanted() : wanted);
  });

  test('by name, even one that looks like a pattern, and one that is not there', () => {
    expect(find('odd/[1].parquet', 'notes.md', 'nowhere.parquet')).toEqual([
      'odd/[1].parquet',
      'notes.md',
      'nowhere.parquet',
    ]);
  });

  test('each once, in the order of the words', () => {
    expect(find('b.parquet', '*.parquet', './b.parquet')).toEqual(['b.parquet', 'a.parquet']);
  });
});

test.each([
  ['empty', /There is no recording in .*empty: no file there/],
  ['*.pcap', /No recording matches .*\*\.pcap/],
  ['nowhere/*', /No recording matches/],
  ['[z-a].parquet', /can't be understood/],
  ['{a,b,c,d,e,f,g,h,i,j}'.repeat(4), /more than 1000 others/],
])('%s is refused in one sentence', (place, sentence) => {
  expect(() => find(place)).toThrow(UsageError);
  expect(() => find(place)).toThrow(sentence);
});

describe('what can not be looked at', () => {
  /** Folders in folders until their path is too long for the kernel, whoever asks. */
  function tooDeep(): { path: string; remove(): void } {
    const path = mkdtempSync(join(tmpdir(), 'flightring-deep-'));
    const deep = join(...Array.from({ length: 10 }, () => 'x'.repeat(250)));
    for (const half of ['one', 'other']) mkdirSync(join(path, half, deep), { recursive: true });
    renameSync(join(path, 'other'), join(path, 'one', deep, 'other'));
    writeFileSync(join(path, 'a.parquet'), '');
    return { path, remove: () => execFileSync('rm', ['-r', path]) };
  }

  test('is told, and the rest is found', () => {
    const { path, remove } = tooDeep();
    try {
      expect(() => findRecordings([path])).toThrow(/can't be looked through: ENAMETOOLONG/);
      const told: string[] = [];
      const found = findRecordings([path], { onUnreadable: (_error, folder) => told.push(folder) });
      expect(found).toEqual([join(path, 'a.parquet')]);
      expect(told).toHaveLength(1);
    } finally {
      remove();
    }
  });

  test('a link that leads to itself is no recording in a folder, and is opened where it is named', () => {
    const path = mkdtempSync(join(tmpdir(), 'flightring-circle-'));
    try {
      writeFileSync(join(path, 'a.parquet'), '');
      const circle = join(path, 'circle.parquet');
      symlinkSync(circle, circle);
      expect(findRecordings([path])).toEqual([join(path, 'a.parquet')]);
      expect(findRecordings([circle])).toEqual([circle]);
    } finally {
      rmSync(path, { recursive: true });
    }
  });
});
