// Text forms of addresses and names, against literal bytes.

import { expect, test } from 'vitest';
import { formatText, parseText } from '../../../src/recording/text.ts';

const ip = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

test.each([
  ['00000000000000000000ffffc0a80001', '192.168.0.1'],
  ['00000000000000000000000000000000', '::'],
  ['00000000000000000000000000000001', '::1'],
  ['00000000000000000000ffff00000000', '0.0.0.0'],
  ['20010db8000000000001000000000001', '2001:db8::1:0:0:1'],
  ['20010db8000000010001000100010001', '2001:db8:0:1:1:1:1:1'],
  ['fe800000000000000000000000000000', 'fe80::'],
  ['0000000000000000000000007f000001', '::7f00:1'],
])('the address %s is %s', (hex, text) => {
  expect(formatText('ip', ip(hex))).toBe(text);
  expect(Buffer.from(parseText('ip', text, 16)).toString('hex')).toBe(hex);
});

test('a MAC address', () => {
  expect(formatText('mac', Uint8Array.of(0, 1, 0xab, 0xcd, 0xef, 255))).toBe('00:01:ab:cd:ef:ff');
  expect([...parseText('mac', '00:01:ab:cd:ef:ff', 6)]).toEqual([0, 1, 0xab, 0xcd, 0xef, 255]);
});

test.each([
  [[0x61, 0x62, 0], 'ab'],
  [[0], ''],
  [[0x61, 0x5c, 0x62, 0], 'a\\\\b'],
  [[0x61, 0xff, 0], 'a\\xff'],
  [[0xc3, 0xa4, 0], 'ä'],
  [[0xef, 0xbb, 0xbf, 0x61], '\ufeffa'],
  [[0xc3, 0x5c, 0x41], '\\xc3\\\\A'],
])('the name of bytes %j is %j', (bytes, text) => {
  expect(formatText('text', Uint8Array.from(bytes))).toBe(text);
  const end = bytes.indexOf(0);
  const used = end < 0 ? bytes : bytes.slice(0, end);
  expect([...parseText('text', text, 16)]).toEqual([...used, ...Array<number>(16 - used.length).fill(0)]);
});

test.each([
  ['mac', '00:01:02:03:04'],
  ['mac', '00:01:02:03:04:XX'],
  ['ip', '1.2.3.256'],
  ['ip', '1:2:3'],
  ['ip', '1::2::3'],
  ['ip', '1:2:3:4:5:6:7:8:9'],
  ['ip', '::g'],
  ['text', 'seventeen letters'],
  ['text', 'bad \\ escape'],
] as const)('%s %j is refused', (form, text) => {
  expect(() => parseText(form, text, form === 'mac' ? 6 : 16)).toThrow(
    expect.objectContaining({ code: 'BAD_VALUE' }),
  );
});
