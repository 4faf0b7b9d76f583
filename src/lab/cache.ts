// Where prepared lab kernels lie, and how a whole one is told from a half-made one.

import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** A kernel the lab can boot: everything is below `dir`. */
export interface LabKernel {
  readonly version: string;
  readonly package: string;
  readonly dir: string;
  /** What QEMU starts: the uncompressed kernel where that works, else Debian's image as it is. */
  readonly image: string;
  /** `lib/modules/VERSION`, with depmod's indexes. */
  readonly modulesDir: string;
  /** Uncompressed modules for the initramfs, in the order they must be loaded. */
  readonly bootModules: readonly string[];
}

export interface LabManifest {
  readonly format: 2;
  readonly version: string;
  readonly package: string;
  readonly bootModules: readonly string[];
  /** Sizes of the files a boot reads on the host: a damaged cache is noticed before QEMU is. */
  readonly sizes: Readonly<Record<string, number>>;
}

export const manifestName = 'lab.json';
export const imageName = 'kernel';
/** Holds the version that this Debian release ships, which is booted when none is asked for. */
const defaultName = '.default';

export function labCacheDir(environment: NodeJS.ProcessEnv = process.env): string {
  const own = environment['FLIGHTRING_CACHE'];
  if (own !== undefined && own !== '') return join(own, 'lab');
  const xdg = environment['XDG_CACHE_HOME'];
  const base = xdg !== undefined && xdg !== '' ? xdg : join(homedir(), '.cache');
  return join(base, 'flightring', 'lab');
}

/** The newest whole kernel in the cache whose version begins with `prefix`. */
export function findCachedKernel(cacheDir: string, prefix: string): LabKernel | undefined {
  return listCachedKernels(cacheDir).find(({ version }) => matchesVersion(version, prefix));
}

/** Compares as versions do: 6.12.9 comes before 6.12.10. */
export function byVersion(left: string, right: string): number {
  return left.localeCompare(right, 'en', { numeric: true });
}

export function readDefaultVersion(cacheDir: string): string | undefined {
  try {
    return readFileSync(join(cacheDir, defaultName), 'utf8').trim();
  } catch {
    return undefined;
  }
}

export function writeDefaultVersion(cacheDir: string, version: string): void {
  writeFileSync(join(cacheDir, defaultName), `${version}\n`);
}

/** All whole kernels in the cache, the newest first. */
export function listCachedKernels(cacheDir: string): LabKernel[] {
  return listDirectory(cacheDir)
    .filter((name) => !name.startsWith('.'))
    .map((name) => openCachedKernel(join(cacheDir, name)))
    .filter((kernel) => kernel !== undefined)
    .sort((left, right) => byVersion(right.version, left.version));
}

/** `6.1` matches 6.1.0-56-amd64 and not 6.12.9; the empty prefix matches all. */
export function matchesVersion(version: string, prefix: string): boolean {
  return (
    prefix === '' ||
    version === prefix ||
    (version.startsWith(prefix) && !/\d/.test(version.charAt(prefix.length)))
  );
}

export function openCachedKernel(dir: string): LabKernel | undefined {
  let manifest: LabManifest;
  try {
    manifest = JSON.parse(readFileSync(join(dir, manifestName), 'utf8')) as LabManifest;
  } catch {
    return undefined;
  }
  if (manifest.format !== 2) return undefined;
  for (const [path, size] of Object.entries(manifest.sizes)) {
    if (statSync(join(dir, path), { throwIfNoEntry: false })?.size !== size) return undefined;
  }
  return {
    version: manifest.version,
    package: manifest.package,
    dir,
    image: join(dir, imageName),
    modulesDir: join(dir, 'lib', 'modules', manifest.version),
    bootModules: manifest.bootModules.map((path) => join(dir, path)),
  };
}

function listDirectory(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
