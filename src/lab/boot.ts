// Boots a lab: packs the initramfs, starts QEMU, waits for the agent inside to say that it is ready.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

import { LabError } from '../model/errors.ts';
import { packageRoot } from '../model/installation.ts';
import type { LabKernel } from './cache.ts';
import { deferred } from './command.ts';
import { chooseEmulator } from './emulator.ts';
import { keepConsole } from './console.ts';
import type { ConsoleLog } from './console.ts';
import { gatherFacts } from './facts.ts';
import { agentScript, initScript } from './guest.ts';
import type { GuestSetup } from './guest.ts';
import { deviceMode, directoryMode, packInitramfs, programMode } from './initramfs.ts';
import { guestError, Lab } from './lab.ts';
import { prepareLab } from './prepare.ts';
import { startMachine } from './qemu.ts';
import type { Machine } from './qemu.ts';

export interface BootOptions {
  /** A version prefix such as `6.1`, or a kernel that prepareLab made. */
  readonly kernel?: string | LabKernel;
  readonly cpus?: number;
  readonly memoryMiB?: number;
  /** Kernel modules to load before the first command, such as `veth`. */
  readonly modules?: readonly string[];
  /** Pairs of network cards, each joined back to back; their driver is the module `virtio_net`. Default none. */
  readonly wires?: number;
  /** The folder exported read-write; without it a temporary one that goes with the lab. */
  readonly shareDir?: string;
  readonly timeoutMs?: number;
  readonly onProgress?: (message: string) => void;
  readonly kernelArguments?: readonly string[];
  /** A guest that gives no sign of life for so long stands still; default 60 s. */
  readonly silenceMs?: number;
}

// Three, whatever the host has: races between two CPUs need a third that is free to interrupt them.
const defaultCpus = 3;
const defaultMemoryMiB = 2048;
const defaultTimeoutMs = 120_000;
const slots = 4;

export async function bootLab(options: BootOptions = {}): Promise<Lab> {
  const progress = options.onProgress ?? (() => {});
  const kernel = await chooseKernel(options);
  const busybox = findStaticBusybox();
  const emulator = await chooseEmulator(progress);
  const started = performance.now();
  progress(`booting ${kernel.version} in QEMU`);

  const runDir = mkdtempSync(join(realpathSync(tmpdir()), 'flightring-lab-'));
  let machine: Machine;
  const shareDir = options.shareDir ?? join(runDir, 'share');
  const initramfs = join(runDir, 'initramfs');
  try {
    mkdirSync(shareDir, { recursive: true });
    writeFileSync(initramfs, makeInitramfs(kernel, busybox, options));
    machine = startMachine({
      emulator,
      kernelImage: kernel.image,
      initramfs,
      shareDir,
      memoryMiB: options.memoryMiB ?? defaultMemoryMiB,
      cpus: options.cpus ?? defaultCpus,
      slots,
      wires: options.wires ?? 0,
      runDir,
      extraKernelArguments: options.kernelArguments ?? [],
    });
  } catch (cause) {
    rmSync(runDir, { recursive: true, force: true });
    throw cause;
  }
  const log = keepConsole(machine.console);
  const kernelVersion = await waitForAgent(machine, log, options.timeoutMs ?? defaultTimeoutMs);
  const bootMs = performance.now() - started;
  progress(`${kernelVersion} is up after ${(bootMs / 1000).toFixed(1)} s`);
  const silence = options.silenceMs === undefined ? {} : { silenceMs: options.silenceMs };
  return new Lab(machine, log, { kernelVersion, shareDir, bootMs, ...silence });
}

async function chooseKernel(options: BootOptions): Promise<LabKernel> {
  if (typeof options.kernel === 'object') return options.kernel;
  return await prepareLab({
    ...(options.kernel === undefined ? {} : { kernel: options.kernel }),
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
  });
}

function makeInitramfs(kernel: LabKernel, busybox: string, options: BootOptions): Buffer {
  const setup: GuestSetup = {
    kernelVersion: kernel.version,
    modulesDir: realpathSync(kernel.modulesDir),
    bootModules: kernel.bootModules,
    modules: options.modules ?? [],
    expose: hiddenFolders([process.cwd(), packageRoot(), dirname(dirname(process.execPath))]),
    slots,
  };
  return packInitramfs([
    ...['bin', 'dev', 'modules'].map((path) => ({ path, mode: directoryMode })),
    { path: 'dev/console', mode: deviceMode, device: [5, 1] },
    { path: 'bin/busybox', mode: programMode, data: readFileSync(busybox) },
    { path: 'init', mode: programMode, data: Buffer.from(initScript(setup)) },
    { path: 'agent', mode: programMode, data: Buffer.from(agentScript(setup)) },
    ...kernel.bootModules.map((path) => ({
      path: `modules/${basename(path)}`,
      mode: programMode,
      data: readFileSync(path),
    })),
  ]);
}

/** Those that lie where the guest mounts something of its own; a folder inside another one of them is left out. */
function hiddenFolders(folders: readonly string[]): string[] {
  const hidden = new Set(
    folders.map((dir) => realpathSync(dir)).filter((dir) => /^\/(tmp|run|dev)\/./.test(dir)),
  );
  return [...hidden].filter((dir) => ![...hidden].some((other) => dir.startsWith(`${other}/`)));
}

/** busybox runs before the host's libraries are there. */
function findStaticBusybox(): string {
  const path = ['/bin/busybox', '/usr/bin/busybox'].find((candidate) => existsSync(candidate));
  // A dynamic program names its loader (PT_INTERP) in its first page.
  if (path === undefined || readFileSync(path).subarray(0, 4096).includes('/lib64/ld-linux')) {
    throw new LabError('LAB_TOOL_MISSING', 'busybox-static is not installed; run scripts/setup.sh');
  }
  return path;
}

async function waitForAgent(machine: Machine, log: ConsoleLog, timeoutMs: number): Promise<string> {
  const ready = deferred<string>();
  let heard = '';
  const listen = (chunk: Buffer): void => {
    heard += chunk.toString();
    const version = /^ready (\S+)\n/m.exec(heard)?.[1];
    if (version !== undefined) ready.resolve(version);
  };
  machine.control.on('data', listen);
  let judged = false;
  const died = machine.exited.then(async (said) => {
    // What made it exit then is that it was looked at.
    if (judged) await late;
    if (said.includes('not found')) {
      throw new LabError('LAB_TOOL_MISSING', 'qemu-system-x86_64 is not installed; run scripts/setup.sh');
    }
    throw guestError('LAB_BOOT_FAILED', 'the lab did not boot: QEMU ended', log, said);
  });
  const timer = new AbortController();
  const late = sleep(timeoutMs, undefined, { signal: timer.signal }).then(async () => {
    judged = true;
    const facts = await gatherFacts(machine);
    machine.kill();
    throw guestError(
      'LAB_BOOT_TIMEOUT',
      `the lab did not boot within ${timeoutMs / 1000} s\n${facts}`,
      log,
      '',
    );
  });
  // The losers of the race reject later, with nobody left to hear them.
  for (const loser of [died, late]) loser.catch(() => {});
  try {
    return await Promise.race([ready.promise, died, late]);
  } finally {
    timer.abort();
    machine.control.off('data', listen);
    machine.control.resume();
  }
}
