// Takes the uncompressed kernel out of a bzImage: unpacking it under emulation costs several seconds of every boot.

import { execFileSync } from 'node:child_process';

const xzMagic = Buffer.from('fd377a585a00', 'hex');
const elfMagic = Buffer.from('\x7fELF');
// The note by which a kernel offers QEMU its 32-bit entry point (XEN_ELFNOTE_PHYS32_ENTRY), CONFIG_PVH.
const pvhNote = Buffer.from('040000000800000012000000' + '58656e00', 'hex');

/** The ELF kernel, or undefined when this image has none that QEMU can start; then the bzImage itself is booted. */
export function extractVmlinux(image: Buffer): Buffer | undefined {
  // Documentation/arch/x86/boot.rst: setup_sects, payload_offset, payload_length; the payload ends with its own size.
  const start = (image.readUInt8(0x1f1) + 1) * 512 + image.readUInt32LE(0x248);
  const payload = image.subarray(start, start + image.readUInt32LE(0x24c) - 4);
  if (!payload.subarray(0, xzMagic.length).equals(xzMagic)) return undefined;
  const kernel = execFileSync('xz', ['-dc'], { input: payload, maxBuffer: 1 << 30, timeout: 60_000 });
  return kernel.subarray(0, 4).equals(elfMagic) && kernel.includes(pvhNote) ? kernel : undefined;
}
