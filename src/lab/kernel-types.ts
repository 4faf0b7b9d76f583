// The BTF of kernels that nobody boots: vmlinux's and that of modules, taken out of Debian's packages and kept in the cache.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { LabError } from '../model/errors.ts';
import { type KernelFlavour, withoutModules } from './apt.ts';
import { byVersion, labCacheDir, openCachedKernel } from './cache.ts';
import { ownPackage, type PackageChoice } from './choose-package.ts';
import { runCommand } from './command.ts';
import { downloadKernel, findImage } from './download.ts';
import { listPackages } from './kernels.ts';
import { uncompress } from './vmlinux.ts';

/** Files of bare BTF. */
export interface KernelTypes {
  readonly vmlinux: string;
  /** Of those modules that are not built in: their types follow on vmlinux's. */
  readonly modules: readonly string[];
}

export interface TypesOptions {
  /** Names of modules. */
  readonly modules: readonly string[];
  readonly cacheDir?: string;
  readonly onProgress?: (message: string) => void;
}

const vmlinuxName = 'vmlinux';
const modulesBuiltin = 'modules.builtin';
/** Names the modules that were looked for, found or not. */
const askedName = '.asked';

/**
 * The kernels that the machine's mirror of Debian holds whole and this release's own, the newest first: of all flavours, or of
 * each series the newest and the oldest ordinary one.
 */
export async function kernelsToCheck(
  every: boolean,
  { cacheDir = labCacheDir(), onProgress = () => {} }: Omit<TypesOptions, 'modules'> = {},
): Promise<PackageChoice[]> {
  mkdirSync(cacheDir, { recursive: true });
  const [own, all] = [await ownPackage(), await listPackages(cacheDir, onProgress)];
  const absent = await withoutModules(cacheDir, all);
  const kernels: (PackageChoice & { readonly flavour: KernelFlavour })[] = [
    { ...own, flavour: 'ordinary' },
    ...all
      .filter((kernel) => kernel.version !== own.version && !absent.includes(kernel))
      .map(({ package: name, version, flavour }) => ({ name, version, flavour, root: cacheDir })),
  ];
  kernels.sort((left, right) => byVersion(right.version, left.version));
  if (every) return kernels;
  const ends = new Map<string, PackageChoice>();
  for (const kernel of kernels) {
    const [series = kernel.version] = /^\d+\.\d+/.exec(kernel.version) ?? [];
    if (kernel.flavour !== 'ordinary') continue;
    if (!ends.has(`newest ${series}`)) ends.set(`newest ${series}`, kernel);
    else ends.set(`oldest ${series}`, kernel);
  }
  return [...ends.values()];
}

/** From the cache, from a kernel that the lab has laid out, or from its packages. */
export async function typesOf(kernel: PackageChoice, options: TypesOptions): Promise<KernelTypes> {
  const cacheDir = options.cacheDir ?? labCacheDir();
  const dir = join(cacheDir, '.types', kernel.version);
  if (!hasAsked(dir, options.modules)) {
    rmSync(dir, { recursive: true, force: true });
    await takeTypes(kernel, cacheDir, dir, options);
  }
  const files = readdirSync(dir).filter((name) => name !== askedName);
  return {
    vmlinux: join(dir, vmlinuxName),
    modules: files.filter((name) => name !== vmlinuxName).map((name) => join(dir, name)),
  };
}

function hasAsked(dir: string, modules: readonly string[]): boolean {
  const path = join(dir, askedName);
  if (!existsSync(path)) return false;
  const asked = readFileSync(path, 'utf8').split('\n');
  return modules.every((name) => asked.includes(name));
}

async function takeTypes(
  kernel: PackageChoice,
  cacheDir: string,
  target: string,
  options: TypesOptions,
): Promise<void> {
  mkdirSync(join(cacheDir, '.types'), { recursive: true });
  const work = mkdtempSync(join(cacheDir, '.types', '.new-'));
  try {
    const made = join(work, 'types');
    mkdirSync(made);
    const { image, tree } = await unpacked(kernel, cacheDir, work, options);
    await takeSection(image, join(made, vmlinuxName));
    for (const path of await moduleFiles(tree, options.modules, work))
      await takeSection(path, join(made, basename(path, '.ko')));
    writeFileSync(join(made, askedName), options.modules.join('\n'));
    if (!existsSync(target)) renameSync(made, target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The ELF kernel, and the folder in which its modules lie. */
async function unpacked(
  kernel: PackageChoice,
  cacheDir: string,
  work: string,
  { modules, onProgress = () => {} }: TypesOptions,
): Promise<{ image: string; tree: string }> {
  const laidOut = openCachedKernel(join(cacheDir, kernel.version));
  const tree = laidOut?.modulesDir ?? join(work, 'tree');
  if (laidOut === undefined) {
    mkdirSync(tree);
    const wanted = ['vmlinuz*', modulesBuiltin, ...modules.map((name) => `${name}.ko*`)];
    // Most of a package is not unpacked, and a part of one has nothing that is wanted.
    const script =
      'deb=$1 to=$2; shift 2; dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$to" --wildcards --no-anchored "$@" 2>/dev/null; :';
    for (const archive of await downloadKernel(kernel, work, onProgress)) {
      await runCommand('sh', ['-c', script, 'sh', archive, tree, ...wanted], { timeoutMs: 300_000 });
      rmSync(archive);
    }
  }
  // With it the package of the modules has been unpacked: one that is absent is not in this kernel.
  if (
    !readdirSync(tree, { recursive: true, encoding: 'utf8' }).some(
      (path) => basename(path) === modulesBuiltin,
    )
  )
    throw new LabError('LAB_PREPARE_FAILED', `the modules of kernel ${kernel.version} can't be unpacked`);
  const compressed = readFileSync(laidOut?.image ?? findImage(tree, kernel.version));
  const image = join(work, 'kernel');
  const elf =
    compressed.subarray(0, 4).toString('latin1') === '\x7fELF' ? compressed : uncompress(compressed);
  if (elf === undefined)
    throw new LabError('LAB_PREPARE_FAILED', `the image of kernel ${kernel.version} can't be uncompressed`);
  writeFileSync(image, elf);
  return { image, tree };
}

/** Uncompressed. */
async function moduleFiles(tree: string, modules: readonly string[], work: string): Promise<string[]> {
  const names = modules.flatMap((name) => [`${name}.ko`, `${name}.ko.xz`]);
  const found = readdirSync(tree, { recursive: true, encoding: 'utf8' }).filter((path) =>
    names.includes(basename(path)),
  );
  const files: string[] = [];
  for (const path of found.map((name) => join(tree, name))) {
    const plain = join(work, basename(path).replace(/\.xz$/, ''));
    writeFileSync(path.endsWith('.xz') ? `${plain}.xz` : plain, readFileSync(path));
    if (path.endsWith('.xz')) await runCommand('xz', ['-d', `${plain}.xz`], { timeoutMs: 30_000 });
    files.push(plain);
  }
  return files;
}

async function takeSection(elf: string, to: string): Promise<void> {
  const rest = `${elf}.rest`;
  await runCommand('objcopy', ['--dump-section', `.BTF=${to}`, elf, rest], { timeoutMs: 60_000 });
  rmSync(rest);
}
