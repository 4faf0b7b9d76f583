// Fetches the packages that a kernel consists of, and finds the kernel in what was unpacked.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LabError } from '../model/errors.ts';
import { apt, kernelParts } from './apt.ts';
import type { PackageChoice } from './choose-package.ts';

/** In /boot, or since 7.x beside the modules. */
export function findImage(tree: string, version: string): string {
  const places = [`boot/vmlinuz-${version}`, `usr/lib/modules/${version}/vmlinuz`];
  const image = places.map((place) => join(tree, place)).find((path) => existsSync(path));
  if (image === undefined)
    throw new LabError('LAB_PREPARE_FAILED', `the package of kernel ${version} holds no image`);
  return image;
}

/** The packages of a kernel, as files in `dir`. */
export async function downloadKernel(
  { name, root }: PackageChoice,
  dir: string,
  progress: (message: string) => void,
): Promise<string[]> {
  const parts = await kernelParts(root, name);
  const description = await apt(root, 'apt-cache', ['show', '--no-all-versions', ...parts], 60_000);
  const sizes = [...description.matchAll(/^Size: (\d+)$/gm)].map(([, size]) => Number(size));
  const megabytes = sizes.reduce((sum, size) => sum + size, 0) / 1e6;
  progress(`downloading ${name} (${megabytes.toFixed(0)} MB)`);
  const ticker = setInterval(
    () => progress(`downloaded ${directoryMegabytes(dir)} of ${megabytes.toFixed(0)} MB`),
    3_000,
  );
  try {
    await apt(root, 'apt-get', ['download', '-q', ...parts], 900_000, dir);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LabError('LAB_DOWNLOAD_FAILED', `could not download ${name}: ${reason}`, { cause });
  } finally {
    clearInterval(ticker);
  }
  const archives = readdirSync(dir).filter((file) => file.endsWith('.deb'));
  if (archives.length === 0) throw new LabError('LAB_DOWNLOAD_FAILED', `apt-get downloaded no ${name}`);
  return archives.map((file) => join(dir, file));
}

function directoryMegabytes(dir: string): string {
  const sizes = readdirSync(dir).map(
    (name) => statSync(join(dir, name), { throwIfNoEntry: false })?.size ?? 0,
  );
  return (sizes.reduce((sum, size) => sum + size, 0) / 1e6).toFixed(0);
}
