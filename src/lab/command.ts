// Runs one host command for the lab and turns its failure into a sentence.

import { execFile } from 'node:child_process';

import { LabError } from '../model/errors.ts';

export interface CommandOptions {
  readonly cwd?: string;
  readonly timeoutMs: number;
}

/** The command's stdout; a failure becomes a LabError with its last stderr line in it. */
export function runCommand(file: string, args: readonly string[], options: CommandOptions): Promise<string> {
  const { promise, resolve, reject } = deferred<string>();
  const settings = {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    timeout: options.timeoutMs,
    killSignal: 'SIGKILL' as const,
    maxBuffer: 64 << 20,
    env: { ...process.env, LC_ALL: 'C' },
  };
  execFile(file, args, settings, (cause, stdout, stderr) => {
    if (cause === null) resolve(stdout);
    else reject(commandError(file, args, options.timeoutMs, cause, stderr));
  });
  return promise;
}

function commandError(
  file: string,
  args: readonly string[],
  timeoutMs: number,
  cause: Error & { code?: unknown; killed?: boolean },
  stderr: string,
): LabError {
  const command = [file, ...args].join(' ');
  if (cause.code === 'ENOENT') {
    return new LabError('LAB_TOOL_MISSING', `${file} is not installed; run scripts/setup.sh`, { cause });
  }
  if (cause.killed === true) {
    return new LabError('LAB_COMMAND_TIMEOUT', `\`${command}\` did not end within ${timeoutMs / 1000} s`, {
      cause,
    });
  }
  const last = stderr.trimEnd().split('\n').at(-1) ?? '';
  const reason = last === '' ? `exit status ${String(cause.code)}` : last;
  return new LabError('LAB_COMMAND_FAILED', `\`${command}\` failed: ${reason}`, { cause });
}

/** A promise with its two ends (Promise.withResolvers is Node 22's). */
export function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (reason: Error) => void;
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}

export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: Error) => void;
}
