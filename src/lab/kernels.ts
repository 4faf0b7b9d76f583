// Lists the kernels that the lab can boot: those of the cache and those that the machine's Debian mirror holds.

import { mkdirSync } from 'node:fs';

import { type KernelPackage, readKernelList, refreshKernelList } from './apt.ts';
import { byVersion, labCacheDir, listCachedKernels, readDefaultVersion } from './cache.ts';

export interface ListedKernel {
  readonly version: string;
  /** Of Debian, such as `stable-backports`; none for one that only the cache has. */
  readonly suites: readonly string[];
  readonly cached: boolean;
  readonly isDefault: boolean;
}

export interface ListOptions {
  readonly cacheDir?: string;
  readonly onProgress?: (message: string) => void;
}

const listMaxAgeMs = 24 * 60 * 60_000;

/** The newest first. Without a network, what was listed last. */
export async function listKernels(options: ListOptions = {}): Promise<ListedKernel[]> {
  const cacheDir = options.cacheDir ?? labCacheDir();
  const progress = options.onProgress ?? (() => {});
  mkdirSync(cacheDir, { recursive: true });
  const known = (await listPackages(cacheDir, progress)).filter(({ flavour }) => flavour === 'ordinary');
  const cached = new Set(listCachedKernels(cacheDir).map(({ version }) => version));
  const suites = new Map(known.map((kernel) => [kernel.version, kernel.suites]));
  const own = readDefaultVersion(cacheDir);
  return [...new Set([...suites.keys(), ...cached])]
    .sort((left, right) => byVersion(right, left))
    .map((version) => ({
      version,
      suites: suites.get(version) ?? [],
      cached: cached.has(version),
      isDefault: version === own,
    }));
}

/** Those of the machine's Debian mirror, of all flavours, the newest first. */
export async function listPackages(
  cacheDir: string,
  progress: (message: string) => void,
): Promise<KernelPackage[]> {
  const known = readKernelList(cacheDir, listMaxAgeMs);
  if (known !== undefined) return known;
  try {
    return await refreshKernelList(cacheDir, progress);
  } catch (error) {
    const old = readKernelList(cacheDir, Number.POSITIVE_INFINITY);
    progress(`${error instanceof Error ? error.message : String(error)}; this is the list of another day`);
    if (old === undefined) return [];
    return old;
  }
}
