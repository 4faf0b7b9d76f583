// Which network namespaces there are, and which threads are in which.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { askNetns } from '../shim.ts';

/** Namespaces looked at, most; those beyond are counted. */
const NAMESPACES_MAX = 4096;
const THREADS_MAX = 131_072;

export interface Namespace {
  /** Something to open it by; may vanish at any time. */
  readonly path: string;
  readonly inum: number;
  readonly cookie: bigint;
}

/** A thread in a network namespace, by inode number; `home` is that of its process's leader. */
export interface ThreadPlace {
  readonly tid: number;
  readonly pid: number;
  readonly inum: number;
  readonly home: number;
}

export interface NamespaceSearch {
  readonly namespaces: readonly Namespace[];
  readonly threads: readonly ThreadPlace[];
  /** Those beyond the limits. */
  readonly left: number;
}

export interface SearchOptions {
  /** Look at every thread, not only at each process's leader. */
  readonly threads: boolean;
  /** Only the namespace with this cookie. */
  readonly only?: bigint | undefined;
}

/**
 * Those of processes (of threads, if asked for), and those mounted somewhere, as `ip netns` does. One that is held only by
 * an open file or a socket is not found.
 */
export function findNamespaces({ threads, only }: SearchOptions): NamespaceSearch {
  const paths = new Map<number, string>();
  const places: ThreadPlace[] = [];
  let left = 0;
  for (const { inum, path } of mountedNamespaces()) if (!paths.has(inum)) paths.set(inum, path);
  for (const pid of numbersIn('/proc')) {
    const home = inumOf(`/proc/${pid}/ns/net`);
    if (home !== undefined && !paths.has(home)) paths.set(home, `/proc/${pid}/ns/net`);
    if (!threads) continue;
    for (const tid of numbersIn(`/proc/${pid}/task`)) {
      const path = `/proc/${pid}/task/${tid}/ns/net`;
      const inum = inumOf(path);
      if (inum === undefined) continue;
      if (!paths.has(inum)) paths.set(inum, path);
      if (places.length < THREADS_MAX) places.push({ tid, pid, inum, home: home ?? inum });
      else left++;
    }
  }
  const namespaces: Namespace[] = [];
  for (const [inum, path] of paths) {
    if (namespaces.length === NAMESPACES_MAX) {
      left++;
      continue;
    }
    const { code, cookie } = askNetns(path, '');
    // It has ended since: the events say so.
    if (code < 0) continue;
    if (only === undefined || only === cookie) namespaces.push({ path, inum, cookie });
  }
  return { namespaces, threads: places, left };
}

function numbersIn(folder: string): number[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

/** `net:[4026531840]` → 4026531840; undefined for a process that has gone. */
function inumOf(path: string): number | undefined {
  try {
    const found = /^net:\[(\d+)\]$/.exec(readlinkSync(path));
    return found ? Number(found[1]) : undefined;
  } catch {
    return undefined;
  }
}

function mountedNamespaces(): { inum: number; path: string }[] {
  try {
    return parseMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
  } catch {
    return [];
  }
}

/** The network namespaces among the mounts of /proc/self/mountinfo (proc(5)). */
export function parseMounts(mountinfo: string): { inum: number; path: string }[] {
  const found: { inum: number; path: string }[] = [];
  for (const line of mountinfo.split('\n')) {
    const [, , , root, point] = line.split(' ');
    const inum = /^net:\[(\d+)\]$/.exec(root ?? '')?.[1];
    if (inum === undefined || point === undefined || !line.includes(' - nsfs ')) continue;
    const path = point.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    found.push({ inum: Number(inum), path });
  }
  return found;
}
