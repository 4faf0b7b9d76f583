// flightring show on a real file: options, wrong options, damage, and a reader that leaves.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { show, type ShowOptions } from '../../../src/cli/show-run.ts';
import { FlightringError } from '../../../src/model/errors.ts';
import { writeParquet } from '../../../src/recording/parquet-write.ts';
import { META, story } from '../report/story.ts';

let folder: string;
let file: string;
let quiet: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'flightring-show-'));
  file = join(folder, 'story.parquet');
  quiet = join(folder, 'quiet.parquet');
  writeParquet({ meta: META, batches: [story()] }, file);
  writeParquet({ meta: { ...META, violations: [] }, batches: [story()] }, quiet);
});

afterAll(() => rmSync(folder, { recursive: true }));

/** A stream that keeps what it is given, and may fail from a given write on. */
class Paper extends Writable {
  text = '';
  isTTY = false;
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.text += chunk.toString();
    done();
  }
}

async function shown(path: string, options: Partial<ShowOptions> = {}): Promise<string> {
  const paper = new Paper();
  await show(path, { color: true, ...options }, paper as unknown as NodeJS.WriteStream);
  return paper.text;
}

/** Lines that are neither header nor marks. */
async function eventsOf(path: string, options: Partial<ShowOptions>): Promise<string[]> {
  return (await shown(path, options))
    .trimEnd()
    .split('\n')
    .filter((line) => !line.startsWith('#'));
}

test('piped output is plain and whole', async () => {
  const text = await shown(file);
  expect(text).not.toContain('\x1b');
  expect(
    text
      .trimEnd()
      .split('\n')
      .filter((line) => !line.startsWith('#')),
  ).toHaveLength(10);
  expect(text).toContain('### 1234 events lost');
});

test("a frame's whole life, and nothing else", async () => {
  const lines = await eventsOf(file, { object: 'frame 0x16ce000 of umem 0' });
  expect(lines).toHaveLength(7);
  for (const line of lines) expect(line).toMatch(/addr=0x16ce[01]00/);
});

test('time counts from the violation, or else from the first event', async () => {
  expect(await eventsOf(file, { around: '20us' })).toHaveLength(1);
  expect(await eventsOf(file, { from: '-1.8ms', to: '-0.0017' })).toHaveLength(2);
  expect(await eventsOf(quiet, { to: '25us' })).toHaveLength(4);
  expect(await shown(file, { around: '20us', kind: 'xsk_rx_write' })).toContain(
    '# shown: kind xsk_rx_write, from -20.0µs to +20.0µs of the violation at 8123.458659\n',
  );
});

test('the timeline needs no object when there is a violation', async () => {
  const text = await shown(file, { timeline: true });
  expect(text).toMatch(/^frame 0x16ce000 of umem 0 {3}7 events/);
  expect(text).toContain('✗ xsk.ownership');
  expect(await shown(quiet, { timeline: true, object: 'socket:4' })).toMatch(/^socket 4 {3}1 event,/);
});

test('JSON is one object per line', async () => {
  const rows = (await shown(file, { json: true }))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { kind: string });
  expect(rows).toHaveLength(11);
  expect(rows[8]?.kind).toBe('gap');
});

describe('a wrong value is one sentence with the right one', () => {
  test.each<[Partial<ShowOptions>, string]>([
    [{ kind: 'xsk_rx_publich' }, 'There is no kind "xsk_rx_publich"; did you mean xsk_rx_publish?'],
    [{ path: 'xks' }, 'There is no path "xks"; did you mean xsk?'],
    [{ cpu: '9' }, 'There is no CPU 9 in this recording; the last one is 1.'],
    [{ comm: 'forwarder' }, 'There is no thread name "forwarder"; did you mean xsk-forwarder?'],
    [{ tid: 'abc' }, '--tid takes whole numbers, not "abc".'],
    [{ limit: '-1' }, '--limit takes whole numbers, not "-1".'],
    [{ around: '5parsec' }, '--around takes a time like 5ms, 200us or 1.5s, not "5parsec".'],
    [{ from: '2s', to: '1s' }, '--from 2s lies behind --to 1s.'],
    [{ around: '1s', to: '1s' }, 'Give either --around or --from and --to, not both.'],
    [{ object: 'queue:7' }, 'This recording has no queue:7; it has queue 1, 3.'],
    [
      { object: 'nieghbour:1' },
      '"nieghbour:1" names no object; did you mean neighbour:IP[@IFINDEX[:NETNS]]? "flightring show --help" lists the others.',
    ],
  ])('%o', async (options, message) => {
    const error = await shown(file, options).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(FlightringError);
    expect((error as FlightringError).message).toBe(message);
    expect((error as FlightringError).exitCode).toBe(2);
  });

  test('without a violation there is nothing to be around', async () => {
    await expect(shown(quiet, { around: '1ms' })).rejects.toThrow('holds no violation for --around');
    await expect(shown(quiet, { timeline: true })).rejects.toThrow('name an object for --timeline');
  });
});

test('of a damaged file what can be read is shown, then the damage is said', async () => {
  const damaged = join(folder, 'damaged.parquet');
  const bytes = readFileSync(file);
  bytes[500] = (bytes[500] as number) ^ 0xff;
  writeFileSync(damaged, bytes);
  const paper = new Paper();
  const error = await show(damaged, { color: false }, paper as unknown as NodeJS.WriteStream).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect((error as FlightringError).exitCode).toBe(2);
  expect((error as FlightringError).message).toMatch(
    /the file is damaged .* \(from byte \d+ on\); \d+ of its 11 records could be read\.$/,
  );
  expect(paper.text).toContain('# flightring 0.1.0');
});

test('a reader that leaves is no error', async () => {
  const gone = new Writable({
    write(_chunk, _encoding, done) {
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    },
  });
  await show(file, { color: false }, gone as unknown as NodeJS.WriteStream);
});
