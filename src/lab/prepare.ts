// Fetches a stock Debian kernel and lays it out for booting: image, module tree, boot modules, manifest.

import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';

import { LabError } from '../model/errors.ts';
import {
  findCachedKernel,
  imageName,
  labCacheDir,
  manifestName,
  openCachedKernel,
  readDefaultVersion,
  writeDefaultVersion,
} from './cache.ts';
import type { LabKernel, LabManifest } from './cache.ts';
import { choosePackage, newestKernel, type PackageChoice } from './choose-package.ts';
import { runCommand } from './command.ts';
import { downloadKernel, findImage } from './download.ts';
import { loadOrder } from './modules.ts';
import { extractVmlinux } from './vmlinux.ts';

export interface PrepareOptions {
  /** A version prefix such as `6.1`, or `newest`; without it, whatever this Debian release ships. */
  readonly kernel?: string;
  /** The release's kernel is the one that apt's lists name now, although the cache has an earlier one. */
  readonly asListed?: boolean;
  readonly cacheDir?: string;
  readonly onProgress?: (message: string) => void;
}

const bootModuleNames = ['virtio_pci', 'virtio_console', '9pnet_virtio', '9p', 'overlay', 'virtio_rng'];
const buildPrefix = '.building-';
const staleBuildMs = 60 * 60_000;

/** A kernel ready to boot, made now if the cache has none. */
export async function prepareLab(options: PrepareOptions = {}): Promise<LabKernel> {
  const cacheDir = options.cacheDir ?? labCacheDir();
  const cached = findPrepared(cacheDir, options.kernel);
  if (cached !== undefined && !options.asListed) return cached;
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new LabError(
      'LAB_UNSUPPORTED',
      `the lab needs Linux on x86-64, this is ${process.platform} on ${process.arch}`,
    );
  }
  const progress = options.onProgress ?? ignore;
  makeCacheDir(cacheDir);
  let kernel: LabKernel;
  try {
    const choice = await choosePackage(cacheDir, options.kernel, progress);
    kernel =
      openCachedKernel(join(cacheDir, choice.version)) ?? (await makeKernel(cacheDir, choice, progress));
  } catch (error) {
    if (cached === undefined || !(error instanceof LabError)) throw error;
    progress(`${error.message}; ${cached.version}, which is there, must do`);
    return cached;
  }
  if (options.kernel === undefined) writeDefaultVersion(cacheDir, kernel.version);
  return kernel;
}

/** Without a word to the mirror. */
function findPrepared(cacheDir: string, wanted: string | undefined): LabKernel | undefined {
  if (wanted === newestKernel) return undefined;
  const version = wanted ?? readDefaultVersion(cacheDir);
  return version === undefined ? undefined : findCachedKernel(cacheDir, version);
}

async function makeKernel(
  cacheDir: string,
  choice: PackageChoice,
  progress: (message: string) => void,
): Promise<LabKernel> {
  const buildDir = makeBuildDir(cacheDir);
  try {
    const version = await buildKernel(choice, buildDir, progress);
    return publish(buildDir, join(cacheDir, version));
  } finally {
    rmSync(buildDir, { recursive: true, force: true });
  }
}

async function buildKernel(
  choice: PackageChoice,
  dir: string,
  progress: (message: string) => void,
): Promise<string> {
  const packageName = choice.name;
  const tree = join(dir, 'tree');
  for (const archive of await downloadKernel(choice, dir, progress)) {
    progress(`unpacking ${basename(archive)}`);
    await runCommand('dpkg', ['-x', archive, tree], { timeoutMs: 300_000 });
    rmSync(archive);
  }

  const version = packageName.slice('linux-image-'.length);
  progress(`uncompressing ${version}`);
  const compressed = readFileSync(findImage(tree, version));
  writeFileSync(join(dir, imageName), extractVmlinux(compressed) ?? compressed);
  // Newer packages follow the merged /usr; depmod and modprobe look below lib/.
  const lib =
    statSync(join(tree, 'lib', 'modules'), { throwIfNoEntry: false }) === undefined ? 'usr/lib' : 'lib';
  renameSync(join(tree, lib), join(dir, 'lib'));
  rmSync(tree, { recursive: true, force: true });

  progress(`indexing the modules of ${version}`);
  await runCommand('depmod', ['-b', dir, version], { timeoutMs: 120_000 });
  await writeManifest(dir, version, packageName);
  return version;
}

/** Boot modules are kept uncompressed (busybox's insmod hands the file to the kernel as it is). */
async function writeManifest(dir: string, version: string, packageName: string): Promise<void> {
  const modulesDir = join(dir, 'lib', 'modules', version);
  const bootDir = join(dir, 'boot-modules');
  mkdirSync(bootDir);
  const bootModules: string[] = [];
  const read = (name: string) => readFileSync(join(modulesDir, name), 'utf8');
  for (const path of loadOrder(read('modules.dep'), bootModuleNames, read('modules.builtin'))) {
    const plain = join('boot-modules', basename(path).replace(/\.xz$/, ''));
    writeFileSync(join(dir, plain), readFileSync(join(modulesDir, path)));
    if (path.endsWith('.xz')) {
      renameSync(join(dir, plain), join(dir, `${plain}.xz`));
      await runCommand('xz', ['-d', join(dir, `${plain}.xz`)], { timeoutMs: 30_000 });
    }
    bootModules.push(plain);
  }
  const sizes = Object.fromEntries(
    [imageName, ...bootModules].map((path) => [path, statSync(join(dir, path)).size]),
  );
  const manifest: LabManifest = { format: 2, version, package: packageName, bootModules, sizes };
  writeFileSync(join(dir, manifestName), `${JSON.stringify(manifest, null, 2)}\n`);
}

function makeBuildDir(cacheDir: string): string {
  makeCacheDir(cacheDir);
  try {
    for (const name of readdirSync(cacheDir).filter((entry) => entry.startsWith(buildPrefix))) {
      const made = statSync(join(cacheDir, name), { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
      if (Date.now() - made > staleBuildMs) rmSync(join(cacheDir, name), { recursive: true, force: true });
    }
    return mkdtempSync(join(cacheDir, buildPrefix));
  } catch (cause) {
    throw unwritable(cacheDir, cause);
  }
}

function makeCacheDir(cacheDir: string): void {
  try {
    mkdirSync(cacheDir, { recursive: true });
  } catch (cause) {
    throw unwritable(cacheDir, cause);
  }
}

function unwritable(cacheDir: string, cause: unknown): LabError {
  return new LabError(
    'LAB_CACHE_UNWRITABLE',
    `cannot write the lab's cache ${cacheDir}; set FLIGHTRING_CACHE to a folder you can`,
    { cause },
  );
}

/** The rename makes the kernel visible whole; of two that prepare at once, the first wins. */
function publish(buildDir: string, target: string): LabKernel {
  if (openCachedKernel(target) === undefined) {
    rmSync(target, { recursive: true, force: true });
    try {
      renameSync(buildDir, target);
    } catch (cause) {
      if (openCachedKernel(target) === undefined) {
        throw new LabError('LAB_PREPARE_FAILED', `could not move the prepared kernel to ${target}`, {
          cause,
        });
      }
    }
  }
  const kernel = openCachedKernel(target);
  if (kernel === undefined)
    throw new LabError('LAB_PREPARE_FAILED', `the kernel prepared in ${target} is not whole`);
  return kernel;
}

function ignore(): void {}
