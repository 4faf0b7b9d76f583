// Which of Debian's packages holds the kernel that is asked for: this release's own, the newest, or the first of a version.

import { join } from 'node:path';

import { LabError } from '../model/errors.ts';
import {
  apt,
  type KernelPackage,
  readKernelList,
  refreshKernelList,
  withoutModules,
  withoutModulesError,
} from './apt.ts';
import { listCachedKernels, matchesVersion, openCachedKernel } from './cache.ts';

export interface PackageChoice {
  readonly name: string;
  readonly version: string;
  /** apt's private root lies below it; without it the machine's own apt knows the package. */
  readonly root?: string;
}

/** Asked for instead of a version: the newest that any of Debian's releases ships, and that can be had whole. */
export const newestKernel = 'newest';
const listMaxAgeMs = 7 * 24 * 60 * 60_000;

export async function choosePackage(
  cacheDir: string,
  wanted: string | undefined,
  progress: (message: string) => void,
): Promise<PackageChoice> {
  if (wanted === undefined) return await ownPackage();
  if (wanted !== newestKernel) {
    const own = await ownPackage().catch(() => undefined);
    if (own !== undefined && matchesVersion(own.version, wanted)) return own;
  }
  const matching = (kernels: readonly KernelPackage[] = []) =>
    kernels.filter(
      ({ version, flavour }) =>
        flavour === 'ordinary' && (wanted === newestKernel || matchesVersion(version, wanted)),
    );
  const [known, ...olderKnown] = matching(readKernelList(cacheDir, listMaxAgeMs));
  if (known !== undefined) return await firstWhole(cacheDir, [known, ...olderKnown], progress);
  const kernels = await refreshKernelList(cacheDir, progress).catch((cause: unknown) => {
    const [newest] = listCachedKernels(cacheDir);
    if (wanted !== newestKernel || newest === undefined) throw cause;
    progress(`the mirror says nothing, so the newest kernel is the newest of the cache`);
    const { version, package: name } = newest;
    return [{ version, package: name, flavour: 'ordinary' as const, release: '', suites: [] }];
  });
  const [found, ...olderFound] = matching(kernels);
  if (found === undefined)
    throw new LabError(
      'LAB_NO_PACKAGE',
      `the mirror holds no kernel ${wanted}; it holds ${shortVersions(kernels)}: flightring lab kernels lists them`,
    );
  return await firstWhole(cacheDir, [found, ...olderFound], progress);
}

/** Of those that the mirror can give whole, unless an earlier one is in the cache. */
async function firstWhole(
  cacheDir: string,
  kernels: readonly [KernelPackage, ...KernelPackage[]],
  progress: (message: string) => void,
): Promise<PackageChoice> {
  const choose = ({ package: name, version }: KernelPackage) => ({ name, version, root: cacheDir });
  const [first] = kernels;
  if (openCachedKernel(join(cacheDir, first.version)) !== undefined) return choose(first);
  const absent = await withoutModules(cacheDir, kernels);
  const whole = kernels.find((kernel) => !absent.includes(kernel));
  if (whole === undefined) throw withoutModulesError(first);
  for (const kernel of kernels.slice(0, kernels.indexOf(whole)))
    progress(`${withoutModulesError(kernel).message}: it is passed over`);
  return choose(whole);
}

/** `5.10, 6.1, 6.12`: each once. */
function shortVersions(kernels: readonly KernelPackage[]): string {
  return [...new Set(kernels.map(({ version }) => /^\d+\.\d+/.exec(version)?.[0] ?? version))]
    .toReversed()
    .join(', ');
}

/** The metapackage names the kernel of the release that apt is set up for. */
export async function ownPackage(): Promise<PackageChoice> {
  const meta = 'linux-image-amd64';
  const text = await apt(undefined, 'apt-cache', ['depends', meta], 60_000).catch((cause: unknown) => {
    throw new LabError(
      'LAB_NO_PACKAGE',
      `apt does not know ${meta}; the lab needs Debian with package lists (apt-get update)`,
      { cause },
    );
  });
  const name = /^\s*Depends: (linux-image-\d\S*)$/m.exec(text)?.[1];
  if (name === undefined) {
    throw new LabError(
      'LAB_NO_PACKAGE',
      `apt does not know which kernel ${meta} stands for; run apt-get update first`,
    );
  }
  return { name, version: name.slice('linux-image-'.length) };
}
