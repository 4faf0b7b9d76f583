// What preparing a kernel works out from names: versions, module order, shell words.

import { expect, test } from 'vitest';

import { matchesVersion } from '../../../src/lab/cache.ts';
import { loadOrder } from '../../../src/lab/modules.ts';
import { shellQuote } from '../../../src/lab/shell.ts';

test('6.1 stands for 6.1.0-56-amd64 and not for 6.12.9', () => {
  expect(matchesVersion('6.1.0-56-amd64', '6.1')).toBe(true);
  expect(matchesVersion('6.12.9-amd64', '6.1')).toBe(false);
  expect(matchesVersion('6.12.9-amd64', '')).toBe(true);
});

test("a module comes after all it depends on, once, under its name or its file's", () => {
  const dep =
    'fs/9p.ko.xz: fs/netfs.ko.xz net/9pnet.ko.xz\nfs/netfs.ko.xz:\nnet/9pnet.ko.xz:\nhw/virtio-rng.ko.xz: virtio.ko.xz\n';
  expect(loadOrder(dep, ['9pnet', '9p', 'virtio_rng', 'virtio_pci'], 'kernel/virtio-pci.ko\n')).toEqual([
    'net/9pnet.ko.xz',
    'fs/netfs.ko.xz',
    'fs/9p.ko.xz',
    'virtio.ko.xz',
    'hw/virtio-rng.ko.xz',
  ]);
});

test('quotes and newlines survive the way into the guest on one line; a NUL byte is refused', () => {
  expect(shellQuote("it's\n$HOME")).toBe(`'it'\\''s'"$newline"'$HOME'`);
  expect(() => shellQuote('a\0b')).toThrow(expect.objectContaining({ code: 'LAB_BAD_ARGUMENT' }));
});
