// Keys of SAs that are added, updated, read and used while the recorder looks on are nowhere: not in its files, not in its memory.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bootLab } from '../../src/lab/index.ts';
import { openRecording } from '../../src/recording/open.ts';
import { type MemorySearch, searchMemory } from './process-memory.ts';
import { folder, RecorderProcess, ROOT, sh } from './recorder-process.ts';

const MODULES = ['vxlan', 'esp4', 'xfrm_user'];
/** Bytes of which no piece of eight is found by chance. */
const KEY = Buffer.from('a7e93c5bd1046f82b85e9d17c3f06a24ee7b519c', 'hex');
const OTHER_KEY = Buffer.from('93d40be85f76c12a8ce1f4573b9a60d22f8de75b', 'hex');
/** What must be found, or the search is worth nothing: in the rings, and in the process itself. */
const SPI = 0x5ec2_e701;
const DECOY = 'f1e2d3c4b5a6978812345678deadc0de';
const INSIDE = process.env['FLIGHTRING_LAB'] !== undefined;

/** A key raw and as text, each in pieces: nobody need copy it whole. */
function piecesOf(name: string, key: Buffer): [string, Buffer][] {
  const pieces: [string, Buffer][] = [];
  for (let at = 0; at + 8 <= key.length; at += 4) {
    const piece = key.subarray(at, at + 8);
    const hex = piece.toString('hex');
    pieces.push([`${name} raw, from byte ${at}`, piece]);
    pieces.push([`${name} reversed, from byte ${at}`, Buffer.from(piece).reverse()]);
    pieces.push([`${name} as text, from byte ${at}`, Buffer.from(hex)]);
    pieces.push([`${name} as upper-case text, from byte ${at}`, Buffer.from(hex.toUpperCase())]);
  }
  return pieces;
}

const SECRETS = new Map([...piecesOf('first key', KEY), ...piecesOf('second key', OTHER_KEY)]);
const spi = Buffer.alloc(4);
spi.writeUInt32LE(SPI);
const CONTROLS = new Map([
  ['the SPI', spi],
  ['the algorithm', Buffer.from('ecb(cipher_null)/hmac(sha1)')],
  ['the decoy', Buffer.from(DECOY)],
]);

const state = (verb: string, key: Buffer) =>
  `xfrm state ${verb} src 10.77.7.1 dst 10.77.7.2 proto esp spi 0x${SPI.toString(16)} mode transport ` +
  `auth hmac(sha1) 0x${key.toString('hex')} enc ecb(cipher_null) ""`;

/** Every way in which a key passes through the kernel. */
function useKeys(): void {
  sh('sh', join(ROOT, 'test/workloads/xfrm-churn.sh'), 'healthy', '--key', `0x${KEY.toString('hex')}`);
  sh('ip', ...words(state('add', KEY)));
  expect(sh('ip', 'xfrm', 'state', 'list')).toContain(KEY.toString('hex'));
  sh('ip', ...words(state('update', OTHER_KEY)));
  const get = ['get', 'src', '10.77.7.1', 'dst', '10.77.7.2', 'proto', 'esp', 'spi', `0x${SPI.toString(16)}`];
  expect(sh('ip', 'xfrm', 'state', ...get)).toContain(OTHER_KEY.toString('hex'));
  sh('ip', 'xfrm', 'state', 'flush');
}

function words(text: string): string[] {
  return text.split(' ').map((word) => (word === '""' ? '' : word));
}

function search(pid: number): { secrets: MemorySearch; controls: MemorySearch } {
  return { secrets: searchMemory(pid, SECRETS), controls: searchMemory(pid, CONTROLS) };
}

/** A recording as it lies on the disk, and as all who open it see it. */
async function contentsOf(path: string): Promise<Buffer> {
  const recording = await openRecording(path);
  const batches = [...recording.batches()].map(({ lanes, slots }) =>
    Buffer.from(new Uint8Array(lanes.buffer, lanes.byteOffset, slots * 64)),
  );
  const meta = JSON.stringify(recording.meta, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  return Buffer.concat([readFileSync(path), ...batches, Buffer.from(meta)]);
}

const foundIn = (contents: Buffer, needles: ReadonlyMap<string, Buffer>) =>
  [...needles].filter(([, needle]) => contents.includes(needle)).map(([name]) => name);

if (!INSIDE)
  test('in the lab: this needs functions of xfrm to be probed', async () => {
    await using lab = await bootLab({ modules: MODULES });
    const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
    const inside = ['node', vitest, 'run', '--project', 'kernel', import.meta.filename];
    const { code, stdout, stderr } = await lab.run(inside, { cwd: ROOT, timeoutMs: 580_000 });
    expect(code, `${stdout}\n${stderr}`).toBe(0);
  });
else
  describe('keys of SAs', () => {
    test('are in no recording and nowhere in the memory of the recorder, where all else is found', async () => {
      using out = folder();
      // A state from before the recording: its key must not come in by the snapshot either.
      sh('ip', ...words(state('add', KEY)));
      const recorder = new RecorderProcess(
        ['--paths', 'xfrm', '--on-exit', 'export', '--out', out.path],
        ['env', `FLIGHTRING_TEST_DECOY=${DECOY}`],
      );
      await using _ = recorder;
      const { absent } = await recorder.event('armed', 120_000);
      expect(absent).toBe(0);
      sh('ip', 'xfrm', 'state', 'flush');
      useKeys();
      const running = search(recorder.child.pid as number);
      expect(await recorder.stop()).toBe(0);

      expect([...running.secrets.found]).toEqual([]);
      expect([...running.controls.found].sort()).toEqual([...CONTROLS.keys()].sort());
      expect(running.secrets.bytes).toBeGreaterThan(50e6);

      const files = readdirSync(out.path).filter((name) => name.endsWith('.parquet'));
      expect(files.length).toBeGreaterThan(0);
      for (const file of files) {
        const contents = await contentsOf(join(out.path, file));
        expect(foundIn(contents, SECRETS)).toEqual([]);
        expect(foundIn(contents, CONTROLS)).toEqual(expect.arrayContaining(['the SPI']));
      }
      process.stderr.write(
        `searched ${Math.round(running.secrets.bytes / 1e6)} MB in ${running.secrets.regions} regions\n`,
      );
    });
  });
