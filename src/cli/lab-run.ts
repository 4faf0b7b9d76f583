// What flightring lab does, loaded only when it is run.

import { accessSync, constants } from 'node:fs';
import { join, resolve } from 'node:path';
import { UsageError } from '../model/errors.ts';
import {
  type BootOptions,
  bootLab,
  type Lab,
  type ListedKernel,
  listKernels,
  prepareLab,
} from '../lab/index.ts';
import { parseDuration } from '../report/duration.ts';
import { unknownWord } from './nearest.ts';

export interface LabFlags {
  readonly kernel?: string;
  readonly cpus: string;
  readonly memory: string;
  readonly module?: string;
  readonly timeout: string;
  readonly share?: string;
}

/** Returns the command's exit status. */
export async function runLab(words: readonly string[], flags: LabFlags): Promise<number> {
  if (words.length === 0)
    throw new UsageError(
      'NO_COMMAND',
      'The lab has no shell to type into; give it a command: flightring lab -- flightring doctor',
    );
  const onProgress = (message: string) => void process.stderr.write(`lab: ${message}\n`);
  if (words.length === 1 && words[0] === 'kernels') {
    const kernels = await listKernels({ onProgress });
    for (const line of kernelTable(kernels)) process.stdout.write(`${line}\n`);
    return 0;
  }
  if (words.length === 1 && words[0] === 'prepare') {
    const { version, dir } = await prepareLab({
      onProgress,
      ...(flags.kernel === undefined ? {} : { kernel: flags.kernel }),
    });
    process.stdout.write(`${version} is ready in ${dir}\n`);
    return 0;
  }
  const timeoutMs = parseDuration(flags.timeout, '--timeout') / 1e6;
  if (timeoutMs <= 0)
    throw new UsageError('BAD_DURATION', `--timeout takes a time above 0, not "${flags.timeout}".`);
  requireCommand(words[0] as string);
  await using lab = await bootLab({ ...bootOptions(flags), onProgress });
  stopWithUs(lab);
  const { code } = await lab.run(commandLine(words), {
    cwd: process.cwd(),
    env: { FLIGHTRING_SHARE: lab.guestShareDir },
    timeoutMs,
    onStdout: (text) => void process.stdout.write(text),
    onStderr: (text) => void process.stderr.write(text),
  });
  return code;
}

/** The lab has this machine's programs, and no others: a word that is none is told before it boots. */
function requireCommand(word: string): void {
  if (word === 'flightring' || word.includes('/')) return;
  const folders = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`.split(':');
  const isThere = folders.some((folder) => {
    try {
      accessSync(join(folder, word), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (!isThere)
    throw unknownWord('program or lab command', word, ['run', 'kernels', 'prepare', 'flightring']);
}

function kernelTable(kernels: readonly ListedKernel[]): string[] {
  const rows = kernels.map(({ version, suites, cached, isDefault }) => [
    version,
    suites.join(', '),
    [...(cached ? ['in the cache'] : []), ...(isDefault ? ['default'] : [])].join(', '),
  ]);
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function bootOptions({ kernel, cpus, memory, module, share }: LabFlags): BootOptions {
  return {
    cpus: wholeNumber(cpus, '--cpus', 1, 64),
    memoryMiB: wholeNumber(memory, '--memory', 256, 65_536),
    ...(kernel === undefined ? {} : { kernel }),
    ...(module === undefined ? {} : { modules: module.split(',').map((name) => name.trim()) }),
    ...(share === undefined ? {} : { shareDir: resolve(share) }),
  };
}

function wholeNumber(text: string, option: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw new UsageError(
      'BAD_NUMBER',
      `${option} takes a whole number from ${least} to ${most}, not "${text}".`,
    );
  return value;
}

/** In the lab, `flightring` is the one that is running here, installed or not. */
function commandLine(words: readonly string[]): readonly string[] {
  const [program, ...rest] = words;
  const here = process.argv[1];
  return program === 'flightring' && here !== undefined
    ? [process.execPath, ...process.execArgv, here, ...rest]
    : words;
}

/** An interrupted command must leave no virtual machine behind. */
function stopWithUs(lab: Lab): void {
  for (const [signal, number] of [
    ['SIGINT', 2],
    ['SIGTERM', 15],
    ['SIGHUP', 1],
  ] as const)
    process.once(signal, () => {
      void lab.shutdown().finally(() => process.exit(128 + number));
    });
}
