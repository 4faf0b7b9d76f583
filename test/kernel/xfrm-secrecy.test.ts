// Keys of SAs that are added, updated, read and used while the recorder looks on are nowhere: not in its files, not in its memory.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bootLab, type Lab } from '../../src/lab/index.ts';
import { openRecording } from '../../src/recording/open.ts';
import { CLI, ROOT } from './recorder-process.ts';

const MODULES = ['vxlan', 'esp4', 'xfrm_user'];
/** Bytes of which no piece of eight is met by chance. */
const KEYS = [
  'a7e93c5bd1046f82b85e9d17c3f06a24ee7b519c',
  '93d40be85f76c12a8ce1f4573b9a60d22f8de75b',
] as const;
/** What must be found, or the search is worth nothing: in the rings as numbers and text, and in the process itself. */
const SPI = 0x5ec2_e701;
const DECOY = 'f1e2d3c4b5a6978812345678deadc0de';
const WAIT_MS = 200_000;

const hexOf = (text: string) => Buffer.from(text).toString('hex');

/** A key raw and as text, each in pieces: nobody need have copied it whole. In hex. */
function piecesOf(key: string): string[] {
  const pieces: string[] = [];
  for (let at = 0; at + 16 <= key.length; at += 8) {
    const piece = key.slice(at, at + 16);
    pieces.push(piece, hexOf(piece), hexOf(piece.toUpperCase()));
  }
  return pieces;
}

const SECRETS = KEYS.flatMap(piecesOf);
const spi = Buffer.alloc(4);
spi.writeUInt32LE(SPI);
// What the recorder does hold: a search that misses it proves nothing. (A longer name lies in two slots of a ring.)
const CONTROLS = [spi.toString('hex'), hexOf(DECOY)];

const ENDS = 'src 10.77.7.1 dst 10.77.7.2 proto esp';
const state = (verb: string, number: number, key: string) =>
  `ip xfrm state ${verb} ${ENDS} spi 0x${number.toString(16)} mode transport auth 'hmac(sha1)' 0x${key} enc 'ecb(cipher_null)' ''`;

async function sh(lab: Lab, script: string): Promise<string> {
  const { code, stdout, stderr } = await lab.run(['sh', '-euc', script], { cwd: ROOT, timeoutMs: WAIT_MS });
  expect(code, stderr).toBe(0);
  return stdout;
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

test('keys of SAs are in no recording and nowhere in the memory of the recorder, where all else is found', async () => {
  const share = mkdtempSync(join(tmpdir(), 'flightring-secrecy-'));
  try {
    await using lab = await bootLab({ modules: MODULES, shareDir: share });
    // An SA from before the recording: its key must not come in by a dump at the start either.
    await sh(lab, state('add', 0x1111, KEYS[0]));
    let armed: () => void = () => {};
    let said = '';
    const ready = new Promise<void>((resolve) => {
      armed = resolve;
    });
    const out = lab.guestShareDir;
    const recorder = lab.run(
      [
        'sh',
        '-c',
        `echo $$ > ${out}/pid; exec node ${CLI} record --json --paths xfrm --on-exit export --out ${out}`,
      ],
      {
        cwd: ROOT,
        env: { FLIGHTRING_TEST_DECOY: DECOY },
        timeoutMs: 2 * WAIT_MS,
        onStdout: (text) => {
          said += text;
          if (said.includes('"event":"armed"')) armed();
        },
      },
    );
    await Promise.race([ready, recorder]);
    expect(said).toContain('"absent":0');

    // Every way in which a key passes through the kernel: of an update it is only in the request. What ip prints shows
    // that they are there to be read.
    const printed = await sh(
      lab,
      `${state('add', SPI, KEYS[0])}; ip xfrm state list
       sh test/workloads/xfrm-churn.sh healthy --key 0x${KEYS[0]}
       ${state('update', SPI, KEYS[1])}
       ${state('add', 0x2222, KEYS[1])}; ip xfrm state get ${ENDS} spi 0x2222`,
    );
    for (const key of KEYS) expect(printed).toContain(key);
    const program = join(ROOT, 'build/workloads/memory-search');
    const search = await sh(lab, `${program} $(cat ${out}/pid) ${[...SECRETS, ...CONTROLS].join(' ')}`);
    await sh(lab, `ip xfrm state flush; kill -TERM $(cat ${out}/pid)`);
    const { code, stderr } = await recorder;
    expect(code, stderr).toBe(0);

    const { bytes, regions, found } = JSON.parse(search) as {
      bytes: number;
      regions: number;
      found: string[];
    };
    process.stderr.write(`searched ${Math.round(bytes / 1e6)} MB of the recorder in ${regions} regions\n`);
    expect(found.sort()).toEqual(CONTROLS.toSorted());
    expect(bytes).toBeGreaterThan(50e6);

    const files = readdirSync(share).filter((name) => name.endsWith('.parquet'));
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      const contents = await contentsOf(join(share, file));
      const met = (hex: string) => contents.includes(Buffer.from(hex, 'hex'));
      expect(SECRETS.filter(met)).toEqual([]);
      expect(met(spi.toString('hex'))).toBe(true);
    }
  } finally {
    rmSync(share, { recursive: true, force: true });
  }
});
