// Packets as pcapng: blocks read by the letter of the draft, comments, times, and recordings without packets.

import { expect, test } from 'vitest';
import { exportPcapng } from '../../../src/export/pcapng.ts';
import { T0 } from '../report/story.ts';
import { EVENTS, EXPORT_META, exported, inputOf, PACKET, VIOLATION } from './sample.ts';

interface Block {
  readonly type: number;
  readonly body: Buffer;
  readonly options: readonly (readonly [number, Buffer])[];
}

/** How long the part in front of the options is. */
function fixedLength(type: number, body: Buffer): number {
  if (type === 0x0a0d0d0a) return 16;
  if (type === 1) return 8;
  return 20 + ((body.readUInt32LE(12) + 3) & ~3);
}

function readBlocks(bytes: Buffer): Block[] {
  const blocks: Block[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at + 4);
    expect(length % 4).toBe(0);
    expect(bytes.readUInt32LE(at + length - 4)).toBe(length);
    const type = bytes.readUInt32LE(at);
    const body = bytes.subarray(at + 8, at + length - 4);
    const options: [number, Buffer][] = [];
    let option = fixedLength(type, body);
    while (option < body.length) {
      const [code, size] = [body.readUInt16LE(option), body.readUInt16LE(option + 2)];
      if (code === 0) break;
      options.push([code, body.subarray(option + 4, option + 4 + size)]);
      option += 4 + ((size + 3) & ~3);
    }
    expect(body.readUInt32LE(option)).toBe(0);
    blocks.push({ type, body, options });
    at += length;
  }
  return blocks;
}

function texts({ options }: Block, code: number): string[] {
  return options.filter(([one]) => one === code).map(([, value]) => value.toString());
}

const [SECTION, DEVICE, FIRST, SECOND, ...MORE] = readBlocks(exported(exportPcapng)) as [
  Block,
  Block,
  Block,
  Block,
];

test('a section, an interface, and the packets', () => {
  expect([SECTION, DEVICE, FIRST, SECOND].map(({ type }) => type)).toEqual([0x0a0d0d0a, 1, 6, 6]);
  expect(MORE).toEqual([]);
  expect(SECTION.body.readUInt32LE(0)).toBe(0x1a2b3c4d);
  expect([SECTION.body.readUInt16LE(4), SECTION.body.readUInt16LE(6)]).toEqual([1, 0]);
  expect(texts(SECTION, 1)).toEqual([`violation of xsk.ownership: ${VIOLATION.sentence}`]);
  expect(texts(SECTION, 3)).toEqual(['Linux 6.1.0-56-amd64 x86_64']);
  expect(DEVICE.body.readUInt16LE(0)).toBe(1);
  expect([texts(DEVICE, 2), texts(DEVICE, 3)]).toEqual([['outer'], ['ifindex 4, netns 8193']]);
  expect(DEVICE.options.find(([code]) => code === 9)?.[1]).toEqual(Buffer.of(9));
});

test('a packet has its bytes, zeros at its end among them, its length and the time of day', () => {
  const { body } = FIRST;
  expect(body.subarray(20, 40).toString('hex')).toBe(`${PACKET}00`);
  expect([body.readUInt32LE(12), body.readUInt32LE(16)]).toEqual([20, 60]);
  const time = (BigInt(body.readUInt32LE(4)) << 32n) | BigInt(body.readUInt32LE(8));
  expect(time).toBe(
    BigInt(EXPORT_META.clocks.realtimeNs) + BigInt(T0 + 510) - BigInt(EXPORT_META.clocks.monotonicNs),
  );
});

test('comments have the descriptor and the verdict', () => {
  expect(texts(FIRST, 1)).toEqual([
    'RX descriptor of socket:2 (outer q1 netns 8193): position 40, address 0x16ce100 of umem 0, length 60; CPU 1, seq 5',
    'no invariant was broken here',
  ]);
  expect(texts(SECOND, 1)[1]).toBe(`violation of xsk.ownership: ${VIOLATION.sentence}`);
});

test('a recording without packets says so, and how to have them', () => {
  const events = EVENTS.filter(({ kind }) => kind !== 'xsk_packet');
  expect(() => exported(exportPcapng, {}, inputOf(events))).toThrow(
    'sample.parquet holds no packet bytes: record them with "flightring record --snaplen 128".',
  );
});
