// The lab: a stock Debian kernel in QEMU on the host's own files, in which commands can be run.

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { LabError, UsageError } from '../model/errors.ts';
import { deferred } from './command.ts';
import type { Deferred } from './command.ts';
import type { ConsoleLog } from './console.ts';
import { gatherFacts } from './facts.ts';
import { guestShareDir } from './guest.ts';
import { watchHeartbeat } from './heartbeat.ts';
import type { Heartbeat } from './heartbeat.ts';
import type { Machine } from './qemu.ts';
import { shellQuote } from './shell.ts';
import { readUntilMark } from './stream.ts';

export interface RunOptions {
  /** Added to a small environment of its own: PATH, HOME=/tmp, TMPDIR=/tmp, LANG, FLIGHTRING_LAB=1. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly timeoutMs?: number;
  /** Ends the command as its time limit does; the reason is an Error whose message says why. */
  readonly signal?: AbortSignal;
  readonly onStdout?: (text: string) => void;
  readonly onStderr?: (text: string) => void;
}

export interface RunResult {
  /** 128 + N when signal N ended it, as in a shell. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface LabIdentity {
  readonly kernelVersion: string;
  /** A folder both sides can write; here as the host names it. */
  readonly shareDir: string;
  readonly bootMs: number;
  /** How long no sign of life may come; default 60 s. */
  readonly silenceMs?: number;
}

const defaultTimeoutMs = 120_000;
const killGraceMs = 10_000;
const powerOffMs = 3_000;
const consoleLines = 20;
const factLines = 200;

export class Lab implements AsyncDisposable {
  readonly kernelVersion: string;
  readonly shareDir: string;
  readonly guestShareDir = guestShareDir;
  readonly bootMs: number;
  readonly #machine: Machine;
  readonly #console: ConsoleLog;
  readonly #freeSlots: number[];
  readonly #waiting: Deferred<number>[] = [];
  /** Rejects when the guest has gone or stands still; every wait is raced against it. */
  readonly #gone: Promise<never>;
  readonly #heartbeat: Heartbeat;
  #closing = false;
  /** Facts are being gathered; that the machine is gone afterwards is no news. */
  #judged = false;

  constructor(machine: Machine, log: ConsoleLog, identity: LabIdentity) {
    this.kernelVersion = identity.kernelVersion;
    this.shareDir = identity.shareDir;
    this.bootMs = identity.bootMs;
    this.#machine = machine;
    this.#console = log;
    this.#freeSlots = machine.stdout.map((_, slot) => slot);
    const gone = deferred<never>();
    this.#gone = gone.promise;
    this.#gone.catch(() => {});
    this.#heartbeat = watchHeartbeat(machine.control, identity.silenceMs);
    void machine.exited.then((said) => {
      this.#heartbeat.stop();
      if (this.#closing) gone.reject(new LabError('LAB_CLOSED', 'the lab has been shut down'));
      else if (!this.#judged) gone.reject(guestError('LAB_DIED', 'the lab died', log, said));
    });
    void this.#heartbeat.silent.then(async (ms) => {
      if (this.#closing || this.#judged) return;
      const what = `the lab stands still: its last sign of life was ${ms / 1000} s ago (${this.#heartbeat.last()})`;
      gone.reject(await this.#judge('LAB_STANDS_STILL', what));
    });
  }

  /** The longest time without a sign of life so far, in ms. */
  get longestSilenceMs(): number {
    return this.#heartbeat.longestMs();
  }

  /** The error for a guest of which nothing can be expected any more; switches it off. */
  async #judge(code: string, sentence: string): Promise<LabError> {
    this.#judged = true;
    const facts = await gatherFacts(this.#machine);
    this.#machine.kill();
    await this.#machine.exited;
    return guestError(code, `${sentence}\n${facts}`, this.#console, '', factLines);
  }

  /** Runs a command in the guest; a few may run at once, more wait for their turn. */
  async run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    if (argv[0] === undefined)
      throw new UsageError('LAB_BAD_ARGUMENT', 'a command for the lab needs at least a program');
    if (this.#closing) throw new LabError('LAB_CLOSED', 'the lab has been shut down');
    const command = [...environmentArguments(options), ...argv].map(shellQuote).join(' ');
    const slot = this.#freeSlots.pop() ?? (await this.#nextFreeSlot());
    const result = await this.#runInSlot(slot, command, argv, options);
    this.#release(slot);
    return result;
  }

  async #runInSlot(
    slot: number,
    command: string,
    argv: readonly string[],
    options: RunOptions,
  ): Promise<RunResult> {
    const { stdout, stderr, control } = this.#machine;
    const [out, err] = [stdout[slot], stderr[slot]];
    if (out === undefined || err === undefined) throw new RangeError(`the lab has no slot ${slot}`);
    const mark = randomBytes(16).toString('hex');
    const ended = Promise.all([
      readUntilMark(out, mark, options.onStdout ?? ignore),
      readUntilMark(err, mark, options.onStderr ?? ignore),
    ]);
    control.write(`start ${slot} ${mark} ${command}\n`);

    const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
    const inTime = await this.#within(timeoutMs, ended, options.signal);
    if (inTime !== undefined) {
      const [{ text: stdoutText, code }, { text: stderrText }] = inTime;
      return { code, stdout: stdoutText, stderr: stderrText };
    }
    control.write(`stop ${slot} KILL\n`);
    const killed = await this.#within(killGraceMs, ended);
    const reason: unknown = options.signal?.reason;
    const what =
      reason instanceof Error
        ? reason.message
        : `\`${argv.join(' ')}\` did not end within ${timeoutMs / 1000} s in the lab`;
    if (killed === undefined) {
      const life = `last sign of life: ${this.#heartbeat.last()}`;
      throw await this.#judge('LAB_HUNG', `${what} and could not be killed; ${life}`);
    }
    this.#release(slot);
    const said = killed.map(({ text }) => lastLines(text)).filter((text) => text !== '');
    throw new LabError('LAB_RUN_TIMEOUT', [`${what} and was killed; its last output:`, ...said].join('\n'));
  }

  /** Powers the guest off without detaching anything (probes take minutes), then makes sure of it. */
  async shutdown(): Promise<void> {
    this.#closing = true;
    this.#machine.control.write(`sync; power_off\n`);
    const timer = new AbortController();
    await Promise.race([
      this.#machine.exited,
      sleep(powerOffMs, undefined, { signal: timer.signal }).catch(ignore),
    ]);
    timer.abort();
    this.#machine.kill();
    await this.#machine.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  /** The last lines of the guest's console. */
  consoleTail(lines = consoleLines): string {
    return this.#console.tail(lines);
  }

  async #within<T>(timeoutMs: number, work: Promise<T>, early?: AbortSignal): Promise<T | undefined> {
    const timer = new AbortController();
    const signal = early === undefined ? timer.signal : AbortSignal.any([timer.signal, early]);
    try {
      return await Promise.race([
        work,
        this.#gone,
        sleep(timeoutMs, undefined, { signal }).catch(() => undefined),
      ]);
    } finally {
      timer.abort();
    }
  }

  async #nextFreeSlot(): Promise<number> {
    const turn = deferred<number>();
    this.#waiting.push(turn);
    return await Promise.race([turn.promise, this.#gone]);
  }

  #release(slot: number): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#freeSlots.push(slot);
    else next.resolve(slot);
  }
}

/** One sentence, then what QEMU said, then the console's last lines. */
export function guestError(
  code: string,
  sentence: string,
  log: ConsoleLog,
  qemuSaid: string,
  lines: number = consoleLines,
): LabError {
  const qemu = qemuSaid === '' ? [] : [qemuSaid];
  const tail = log.tail(lines);
  const shown = tail === '' ? ['its console was empty'] : ['the last lines of its console:', tail];
  return new LabError(code, [sentence, ...qemu, ...shown].join('\n'));
}

function environmentArguments(options: RunOptions): string[] {
  const own = {
    PATH: `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    HOME: '/tmp',
    TMPDIR: '/tmp',
    LANG: 'C.UTF-8',
    FLIGHTRING_LAB: '1',
  };
  const variables = Object.entries({ ...own, ...options.env }).map(([name, value]) => `${name}=${value}`);
  return ['-C', options.cwd ?? process.cwd(), ...variables];
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-consoleLines).join('\n');
}

function ignore(): void {}
