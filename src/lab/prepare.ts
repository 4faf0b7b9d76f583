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
  matchesVersion,
  openCachedKernel,
} from './cache.ts';
import type { LabKernel, LabManifest } from './cache.ts';
import { runCommand } from './command.ts';
import { loadOrder } from './modules.ts';
import { extractVmlinux } from './vmlinux.ts';

export interface PrepareOptions {
  /** A version prefix such as `6.1`; without it, whatever this Debian release ships. */
  readonly kernel?: string;
  readonly cacheDir?: string;
  readonly onProgress?: (message: string) => void;
}

const bootModuleNames = ['virtio_pci', 'virtio_console', '9pnet_virtio', '9p', 'overlay', 'virtio_rng'];
const buildPrefix = '.building-';
const staleBuildMs = 60 * 60_000;

/** A kernel ready to boot, made now if the cache has none. */
export async function prepareLab(options: PrepareOptions = {}): Promise<LabKernel> {
  const cacheDir = options.cacheDir ?? labCacheDir();
  const wanted = options.kernel ?? '';
  const cached = findCachedKernel(cacheDir, wanted);
  if (cached !== undefined) return cached;
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new LabError(
      'LAB_UNSUPPORTED',
      `the lab needs Linux on x86-64, this is ${process.platform} on ${process.arch}`,
    );
  }
  const packageName = await resolvePackage(wanted);
  const buildDir = makeBuildDir(cacheDir);
  try {
    const version = await buildKernel(packageName, buildDir, options.onProgress ?? ignore);
    return publish(buildDir, join(cacheDir, version));
  } finally {
    rmSync(buildDir, { recursive: true, force: true });
  }
}

/** The metapackage names the kernel of the release that apt is set up for. */
async function resolvePackage(wanted: string): Promise<string> {
  const meta = 'linux-image-amd64';
  const text = await runCommand('apt-cache', ['depends', meta], { timeoutMs: 60_000 }).catch(
    (cause: unknown) => {
      throw new LabError(
        'LAB_NO_PACKAGE',
        `apt does not know ${meta}; the lab needs Debian with package lists (apt-get update)`,
        { cause },
      );
    },
  );
  const name = /^\s*Depends: (linux-image-\d\S*)$/m.exec(text)?.[1];
  if (name === undefined) {
    throw new LabError(
      'LAB_NO_PACKAGE',
      `apt does not know which kernel ${meta} stands for; run apt-get update first`,
    );
  }
  const version = name.slice('linux-image-'.length);
  if (!matchesVersion(version, wanted)) {
    throw new LabError(
      'LAB_NO_PACKAGE',
      `this Debian release ships kernel ${version}, not ${wanted}; leave the kernel out to use it`,
    );
  }
  return name;
}

async function buildKernel(
  packageName: string,
  dir: string,
  progress: (message: string) => void,
): Promise<string> {
  const archive = await download(packageName, dir, progress);
  progress(`unpacking ${packageName}`);
  const tree = join(dir, 'tree');
  await runCommand('dpkg', ['-x', archive, tree], { timeoutMs: 300_000 });
  rmSync(archive);

  const image = readdirSync(join(tree, 'boot')).find((name) => name.startsWith('vmlinuz-'));
  if (image === undefined)
    throw new LabError('LAB_PREPARE_FAILED', `${packageName} holds no kernel image in /boot`);
  const version = image.slice('vmlinuz-'.length);
  progress(`uncompressing ${version}`);
  const compressed = readFileSync(join(tree, 'boot', image));
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

async function download(
  packageName: string,
  dir: string,
  progress: (message: string) => void,
): Promise<string> {
  const description = await runCommand('apt-cache', ['show', '--no-all-versions', packageName], {
    timeoutMs: 60_000,
  });
  const megabytes = Number(/^Size: (\d+)$/m.exec(description)?.[1] ?? 0) / 1e6;
  progress(`downloading ${packageName} (${megabytes.toFixed(0)} MB)`);
  const ticker = setInterval(
    () => progress(`downloaded ${directoryMegabytes(dir)} of ${megabytes.toFixed(0)} MB`),
    3_000,
  );
  try {
    await runCommand('apt-get', ['download', '-q', packageName], { cwd: dir, timeoutMs: 900_000 });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new LabError('LAB_DOWNLOAD_FAILED', `could not download ${packageName}: ${reason}`, { cause });
  } finally {
    clearInterval(ticker);
  }
  const archive = readdirSync(dir).find((name) => name.endsWith('.deb'));
  if (archive === undefined)
    throw new LabError('LAB_DOWNLOAD_FAILED', `apt-get downloaded no ${packageName}`);
  return join(dir, archive);
}

function directoryMegabytes(dir: string): string {
  const sizes = readdirSync(dir).map(
    (name) => statSync(join(dir, name), { throwIfNoEntry: false })?.size ?? 0,
  );
  return (sizes.reduce((sum, size) => sum + size, 0) / 1e6).toFixed(0);
}

/** Boot modules are kept uncompressed (busybox's insmod hands the file to the kernel as it is). */
async function writeManifest(dir: string, version: string, packageName: string): Promise<void> {
  const modulesDir = join(dir, 'lib', 'modules', version);
  const bootDir = join(dir, 'boot-modules');
  mkdirSync(bootDir);
  const bootModules: string[] = [];
  for (const path of loadOrder(readFileSync(join(modulesDir, 'modules.dep'), 'utf8'), bootModuleNames)) {
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
  try {
    mkdirSync(cacheDir, { recursive: true });
    for (const name of readdirSync(cacheDir).filter((entry) => entry.startsWith(buildPrefix))) {
      const made = statSync(join(cacheDir, name), { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
      if (Date.now() - made > staleBuildMs) rmSync(join(cacheDir, name), { recursive: true, force: true });
    }
    return mkdtempSync(join(cacheDir, buildPrefix));
  } catch (cause) {
    throw new LabError(
      'LAB_CACHE_UNWRITABLE',
      `cannot write the lab's cache ${cacheDir}; set FLIGHTRING_CACHE to a folder you can`,
      { cause },
    );
  }
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
