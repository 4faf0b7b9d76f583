// The blocks of the pcapng capture file format (draft-ietf-opsawg-pcapng), little-endian.

const SECTION = 0x0a0d_0d0a;
const INTERFACE = 1;
const ENHANCED_PACKET = 6;

const BYTE_ORDER = 0x1a2b_3c4d;
/** The section is as long as the file. */
const LENGTH_UNKNOWN = 0xffff_ffff_ffff_ffffn;
const LINKTYPE_ETHERNET = 1;
/** if_tsresol: times are in 10^-9 s. */
const NANOSECONDS = 9;

/** Option codes. */
const END_OF_OPTIONS = 0;
const COMMENT = 1;
const SECTION_OS = 3;
const SECTION_APPLICATION = 4;
const INTERFACE_NAME = 2;
const INTERFACE_DESCRIPTION = 3;
const INTERFACE_RESOLUTION = 9;
const PACKET_FLAGS = 2;
/** epb_flags: the packet came in. */
const INBOUND = 1;

type Option = readonly [code: number, value: Uint8Array];

/** An option's length has 16 bits. */
const OPTION_MAX = 0xffff;

function textOption(code: number, text: string): Option {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= OPTION_MAX) return [code, bytes];
  // Not in the middle of a character.
  let end = OPTION_MAX;
  while (((bytes[end] as number) & 0xc0) === 0x80) end--;
  return [code, bytes.subarray(0, end)];
}

const padded = (length: number): number => (length + 3) & ~3;

/** Type and length, what the block holds, its options, and the length again. */
function block(type: number, body: Uint8Array, options: readonly Option[]): Uint8Array {
  const room = options.reduce((sum, [, value]) => sum + 4 + padded(value.length), 0);
  const length = 12 + padded(body.length) + (options.length > 0 ? room + 4 : 0);
  const bytes = Buffer.alloc(length);
  bytes.writeUInt32LE(type, 0);
  bytes.writeUInt32LE(length, 4);
  bytes.set(body, 8);
  let at = 8 + padded(body.length);
  for (const [code, value] of options) {
    bytes.writeUInt16LE(code, at);
    bytes.writeUInt16LE(value.length, at + 2);
    bytes.set(value, at + 4);
    at += 4 + padded(value.length);
  }
  if (options.length > 0) bytes.writeUInt16LE(END_OF_OPTIONS, at);
  bytes.writeUInt32LE(length, length - 4);
  return bytes;
}

export function sectionBlock(application: string, os: string, comments: readonly string[]): Uint8Array {
  const body = Buffer.alloc(16);
  body.writeUInt32LE(BYTE_ORDER, 0);
  body.writeUInt16LE(1, 4);
  body.writeBigUInt64LE(LENGTH_UNKNOWN, 8);
  return block(SECTION, body, [
    ...comments.map((comment) => textOption(COMMENT, comment)),
    textOption(SECTION_OS, os),
    textOption(SECTION_APPLICATION, application),
  ]);
}

export function interfaceBlock(name: string, description: string, snaplen: number): Uint8Array {
  const body = Buffer.alloc(8);
  body.writeUInt16LE(LINKTYPE_ETHERNET, 0);
  body.writeUInt32LE(snaplen, 4);
  return block(INTERFACE, body, [
    textOption(INTERFACE_NAME, name),
    textOption(INTERFACE_DESCRIPTION, description),
    [INTERFACE_RESOLUTION, Uint8Array.of(NANOSECONDS)],
  ]);
}

export interface Packet {
  /** Number of its interface block, from 0 on. */
  readonly device: number;
  /** ns since 1970. */
  readonly time: bigint;
  readonly bytes: Uint8Array;
  /** How long it was. */
  readonly length: number;
  readonly comments: readonly string[];
}

export function packetBlock({ device, time, bytes, length, comments }: Packet): Uint8Array {
  const body = Buffer.alloc(20 + bytes.length);
  body.writeUInt32LE(device, 0);
  body.writeUInt32LE(Number(BigInt.asUintN(32, time >> 32n)), 4);
  body.writeUInt32LE(Number(BigInt.asUintN(32, time)), 8);
  body.writeUInt32LE(bytes.length, 12);
  body.writeUInt32LE(length, 16);
  body.set(bytes, 20);
  const flags = Buffer.alloc(4);
  flags.writeUInt32LE(INBOUND, 0);
  return block(ENHANCED_PACKET, body, [
    ...comments.map((comment) => textOption(COMMENT, comment)),
    [PACKET_FLAGS, flags],
  ]);
}
