// Which QEMU the lab runs: the machine's own, or a newer one of Debian's backports where that one loses its guests.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { apt, readKernelList, refreshKernelList } from './apt.ts';
import { labCacheDir } from './cache.ts';
import { runCommand } from './command.ts';

const program = 'qemu-system-x86_64';
const debPackage = 'qemu-system-x86';
/*
 * Before 8.1 one emulated CPU could translate code while another was rewriting it, and keep the old translation for
 * good. The kernel rewrites hot code whenever a probe is attached: its CPUs then run into the same breakpoint for ever,
 * with interrupts off (docs/adr/0010-the-lab.md).
 */
const soundSince = [8, 1] as const;
const listMaxAgeMs = 30 * 86_400_000;

let chosen: Promise<string> | undefined;

/** The program to start; once fetched it is found without asking anybody. */
export function chooseEmulator(progress: (message: string) => void): Promise<string> {
  chosen ??= choose(progress);
  return chosen;
}

async function choose(progress: (message: string) => void): Promise<string> {
  const said = await runCommand(program, ['--version'], { timeoutMs: 20_000 });
  const [, version = '0', major = '0', minor = '0'] = /version ((\d+)\.(\d+)\S*)/.exec(said) ?? [];
  if (isSound(Number(major), Number(minor))) return program;
  const cacheDir = labCacheDir();
  const cached = findCached(cacheDir);
  if (cached !== undefined) return cached;
  try {
    return await fetchBackport(cacheDir, progress);
  } catch (cause) {
    const why = cause instanceof Error ? (cause.message.split('\n', 1)[0] as string) : String(cause);
    progress(`QEMU ${version} now and then loses a guest, and no newer one could be fetched: ${why}`);
    return program;
  }
}

function isSound(major: number, minor: number): boolean {
  return major > soundSince[0] || (major === soundSince[0] && minor >= soundSince[1]);
}

const emulators = (cacheDir: string): string => join(cacheDir, '.qemu');

function findCached(cacheDir: string): string | undefined {
  const dir = emulators(cacheDir);
  if (!existsSync(dir)) return undefined;
  const found = readdirSync(dir)
    .filter((name) => !name.startsWith('.'))
    .map((name) => join(dir, name, 'usr/bin', program))
    .filter((path) => existsSync(path));
  return found.at(-1);
}

/** The package for this release of Debian depends on the same libraries as the one that is installed. */
async function fetchBackport(cacheDir: string, progress: (message: string) => void): Promise<string> {
  const release = /^VERSION_ID="?(\d+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  if (readKernelList(cacheDir, listMaxAgeMs) === undefined) await refreshKernelList(cacheDir, progress);
  const table = await apt(cacheDir, 'apt-cache', ['madison', debPackage], 60_000);
  const version = table
    .split('\n')
    .map((line) => line.split('|')[1]?.trim() ?? '')
    .find((candidate) => {
      const [, major, minor] = /^(?:\d+:)?(\d+)\.(\d+)/.exec(candidate) ?? [];
      return candidate.includes(`~bpo${release}+`) && isSound(Number(major), Number(minor));
    });
  if (version === undefined) throw new Error(`the mirror has no backport for Debian ${release}`);
  progress(`fetching QEMU ${version} (10 MB): the installed one now and then loses a guest`);
  const dir = emulators(cacheDir);
  mkdirSync(dir, { recursive: true });
  const work = mkdtempSync(join(dir, '.new-'));
  try {
    await apt(cacheDir, 'apt-get', ['download', '-q', `${debPackage}=${version}`], 300_000, work);
    const deb = readdirSync(work).find((name) => name.endsWith('.deb'));
    if (deb === undefined) throw new Error('apt downloaded nothing');
    await runCommand('dpkg', ['-x', join(work, deb), join(work, 'root')], { timeoutMs: 60_000 });
    const path = join(work, 'root/usr/bin', program);
    await runCommand(path, ['--version'], { timeoutMs: 20_000 });
    const target = join(dir, version.replaceAll(/[^\w.+~-]/g, '_'));
    rmSync(target, { recursive: true, force: true });
    renameSync(join(work, 'root'), target);
    return join(target, 'usr/bin', basename(path));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Where firmware and boot code lie: a fetched QEMU uses those of the installed one. */
export function dataFolders(emulator: string): readonly string[] {
  return dirname(emulator) === '.' ? [] : ['-L', '/usr/share/qemu', '-L', '/usr/share/seabios'];
}
