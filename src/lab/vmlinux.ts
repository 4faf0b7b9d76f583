// Takes the uncompressed kernel out of a bzImage: unpacking it under emulation costs several seconds of every boot.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How Debian's kernels are compressed: xz up to 6.1, zstd since. */
const compressions = [
  { magic: Buffer.from('fd377a585a00', 'hex'), suffix: 'xz' },
  { magic: Buffer.from('28b52ffd', 'hex'), suffix: 'zst' },
];
/** Comes with apt, and knows every compression that Debian uses. */
const decompressor = '/usr/lib/apt/apt-helper';
const elfMagic = Buffer.from('\x7fELF');
// The note by which a kernel offers QEMU its 32-bit entry point (XEN_ELFNOTE_PHYS32_ENTRY), CONFIG_PVH.
const pvhNote = Buffer.from('040000000800000012000000' + '58656e00', 'hex');

/** The ELF kernel, or undefined when this image has none that QEMU can start; then the bzImage itself is booted. */
export function extractVmlinux(image: Buffer): Buffer | undefined {
  const kernel = uncompress(image);
  return kernel?.includes(pvhNote) === true ? kernel : undefined;
}

/** The ELF kernel of a bzImage, or undefined when it is compressed in a way that Debian does not use. */
export function uncompress(image: Buffer): Buffer | undefined {
  // Documentation/arch/x86/boot.rst: setup_sects, payload_offset, payload_length; the payload ends with its own size.
  const start = (image.readUInt8(0x1f1) + 1) * 512 + image.readUInt32LE(0x248);
  const payload = image.subarray(start, start + image.readUInt32LE(0x24c) - 4);
  const suffix = compressions.find(({ magic }) => payload.subarray(0, magic.length).equals(magic))?.suffix;
  const kernel = suffix === undefined ? undefined : decompress(payload, suffix);
  return kernel?.subarray(0, elfMagic.length).equals(elfMagic) === true ? kernel : undefined;
}

function decompress(payload: Buffer, suffix: string): Buffer | undefined {
  const dir = mkdtempSync(join(tmpdir(), 'flightring-kernel-'));
  try {
    const file = join(dir, `kernel.${suffix}`);
    writeFileSync(file, payload);
    return execFileSync(decompressor, ['cat-file', file], {
      maxBuffer: 1 << 30,
      timeout: 120_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return undefined;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
