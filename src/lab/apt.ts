// A private root for apt: lists the kernels of all of Debian's releases that the machine's mirror holds, and fetches them.

import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';

import { LabError } from '../model/errors.ts';
import { byVersion } from './cache.ts';
import { runCommand } from './command.ts';

/** Real-time and cloud kernels lack drivers or behave differently: the lab boots ordinary ones. */
export type KernelFlavour = 'ordinary' | 'rt' | 'cloud';

/** A kernel that can be fetched. */
export interface KernelPackage {
  /** As `uname -r` says it. */
  readonly version: string;
  readonly package: string;
  readonly flavour: KernelFlavour;
  /** Of the source, for example `6.1.192-2`. */
  readonly release: string;
  readonly suites: readonly string[];
}

/** Names that outlive the releases they stand for. A mirror without one of them is asked for the others. */
const suites = {
  Debian: [
    'oldoldstable',
    'oldstable',
    'oldstable-backports',
    'stable',
    'stable-backports',
    'testing',
    'unstable',
  ],
  'Debian-Security': ['oldoldstable-security', 'oldstable-security', 'stable-security'],
};
const keyrings = [
  '/usr/share/keyrings/debian-archive-keyring.gpg',
  '/usr/share/keyrings/debian-archive-keyring.pgp',
];
const listName = 'kernels-of-all-flavours.json';
// Those of three numbers: linux-image-6.12-amd64 only depends on one. -dbg and -unsigned hold no bootable image.
const imagePackage = /^linux-image-(\d+\.\d+\.\d[\w.+~-]*?-(?:(rt|cloud)-)?amd64)$/;

const aptDir = (cacheDir: string): string => join(cacheDir, '.apt');

/** What was listed last, of all flavours, or undefined when that is longer ago than `maxAgeMs`. */
export function readKernelList(cacheDir: string, maxAgeMs: number): KernelPackage[] | undefined {
  const path = join(aptDir(cacheDir), listName);
  const made = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  if (made === undefined || Date.now() - made > maxAgeMs) return undefined;
  return JSON.parse(readFileSync(path, 'utf8')) as KernelPackage[];
}

/** Asks the mirror: 50 MB of package lists, which stay in the cache. */
export async function refreshKernelList(
  cacheDir: string,
  progress: (message: string) => void,
): Promise<KernelPackage[]> {
  const dir = aptDir(cacheDir);
  for (const folder of ['lists/partial', 'cache/archives/partial'])
    mkdirSync(join(dir, folder), { recursive: true });
  writeFileSync(join(dir, 'status'), '');
  writeFileSync(join(dir, 'sources.list'), await sources());
  writeFileSync(join(dir, 'apt.conf'), configuration(dir));
  progress("listing the kernels of all of Debian's releases (50 MB of package lists)");
  // A suite that the mirror has not got fails the update and leaves the lists of the others.
  const failure = await apt(cacheDir, 'apt-get', ['update', '-q'], 600_000).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  const kernels = await listKernels(cacheDir);
  if (kernels.length === 0)
    throw new LabError('LAB_NO_PACKAGE', 'no kernels could be listed; is the apt mirror reachable?', {
      cause: failure,
    });
  const list = join(dir, listName);
  writeFileSync(`${list}.${process.pid}`, `${JSON.stringify(kernels, null, 1)}\n`);
  renameSync(`${list}.${process.pid}`, list);
  return kernels;
}

/** The packages that hold the image and the modules: since 7.x the package of the image only depends on them. */
export async function kernelParts(cacheDir: string | undefined, name: string): Promise<string[]> {
  const version = name.slice('linux-image-'.length);
  const text = await apt(cacheDir, 'apt-cache', ['depends', name], 60_000);
  if (lacksModules(text, version)) throw withoutModulesError({ package: name, version });
  const parts = ['base', 'binary', 'modules'].map((part) => `linux-${part}-${version}`);
  return [name, ...parts.filter((part) => text.includes(`Depends: ${part}\n`))];
}

/** Those of which the mirror has the image, and not its modules: without them a kernel boots no lab. */
export async function withoutModules(
  cacheDir: string,
  kernels: readonly KernelPackage[],
): Promise<KernelPackage[]> {
  const names = kernels.map(({ package: name }) => name);
  const text = await apt(cacheDir, 'apt-cache', ['depends', ...names], 60_000);
  return kernels.filter(({ version }) => lacksModules(text, version));
}

export function withoutModulesError({
  package: name,
  version,
}: Pick<KernelPackage, 'package' | 'version'>): LabError {
  return new LabError('LAB_NO_PACKAGE', `the mirror has ${name}, but not ${modulesOf(version)}`);
}

const modulesOf = (version: string): string => `linux-modules-${version}`;

/** In angle brackets: a package that no list has. */
function lacksModules(depends: string, version: string): boolean {
  return depends.includes(`Depends: <${modulesOf(version)}>\n`);
}

/** Runs apt on its private root, or on the machine's configuration when there is no cache folder to find one in. */
export async function apt(
  cacheDir: string | undefined,
  tool: 'apt-get' | 'apt-cache',
  words: readonly string[],
  timeoutMs: number,
  cwd?: string,
): Promise<string> {
  const where = cwd === undefined ? {} : { cwd };
  if (cacheDir === undefined) return await runCommand(tool, words, { timeoutMs, ...where });
  const dir = aptDir(cacheDir);
  const command = [join(dir, 'lock'), tool, '-c', join(dir, 'apt.conf'), ...words];
  return await runCommand('flock', command, { timeoutMs, ...where });
}

async function listKernels(cacheDir: string): Promise<KernelPackage[]> {
  const names = (await apt(cacheDir, 'apt-cache', ['pkgnames', 'linux-image-'], 120_000))
    .split('\n')
    .filter((name) => imagePackage.test(name));
  if (names.length === 0) return [];
  const table = await apt(cacheDir, 'apt-cache', ['madison', ...names], 120_000);
  const kernels = new Map<string, KernelPackage>();
  for (const line of table.split('\n')) {
    // "linux-image-6.1.0-56-amd64 | 6.1.192-2 | URL oldstable/main amd64 Packages"
    const [name = '', release = '', source = ''] = line.split('|').map((word) => word.trim());
    const [, version, flavour = 'ordinary'] = imagePackage.exec(name) ?? [];
    const suite = /^\S+ ([^/ ]+)\/\S+ amd64 Packages$/.exec(source)?.[1];
    if (version === undefined || suite === undefined) continue;
    const before = kernels.get(version);
    kernels.set(version, {
      version,
      package: name,
      flavour: flavour as KernelFlavour,
      release: before?.release ?? release,
      suites: [...(before?.suites ?? []), suite],
    });
  }
  return [...kernels.values()].sort((left, right) => byVersion(right.version, left.version));
}

/** The machine's own mirrors of Debian, with all suites. */
async function sources(): Promise<string> {
  const format = '$(REPO_URI)|$(ORIGIN)|$(LABEL)';
  const targets = await runCommand('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'], {
    timeoutMs: 60_000,
  });
  const found = new Map(
    targets.split('\n').flatMap((line) => {
      const [uri, origin, label] = line.split('|');
      return uri !== undefined && origin === 'Debian' && label !== undefined && label in suites
        ? [[label as keyof typeof suites, uri] as const]
        : [];
    }),
  );
  if (!found.has('Debian'))
    throw new LabError(
      'LAB_NO_PACKAGE',
      'apt knows no mirror of Debian; the lab needs Debian with package lists (apt-get update)',
    );
  const keyring = keyrings.find((path) => existsSync(path));
  const options = ['arch=amd64', ...(keyring === undefined ? [] : [`signed-by=${keyring}`])].join(' ');
  return [...found]
    .flatMap(([label, uri]) => suites[label].map((suite) => `deb [${options}] ${uri} ${suite} main\n`))
    .join('');
}

/** On top of the machine's configuration, which may name a proxy. Its hooks are for the machine's own lists. */
function configuration(dir: string): string {
  const values = {
    'Dir::State': dir,
    'Dir::State::lists': join(dir, 'lists'),
    'Dir::State::status': join(dir, 'status'),
    'Dir::Cache': join(dir, 'cache'),
    'Dir::Cache::pkgcache': 'pkgcache.bin',
    'Dir::Cache::srcpkgcache': '',
    'Dir::Etc::sourcelist': join(dir, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'Acquire::Languages': 'none',
    // The folder belongs to who runs this, and apt's own user need not be able to enter it.
    'APT::Sandbox::User': userInfo().username,
  };
  const cleared = ['APT::Update::Pre-Invoke', 'APT::Update::Post-Invoke', 'APT::Update::Post-Invoke-Success'];
  return [
    ...cleared.map((name) => `#clear ${name};\n`),
    ...Object.entries(values).map(([name, value]) => `${name} "${value}";\n`),
  ].join('');
}
