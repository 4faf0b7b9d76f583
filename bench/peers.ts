// The tools that flightring is held against, started and stopped around a measurement.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createReadStream, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const TRACING = '/sys/kernel/tracing';
const BPFTRACE_TEXT = '/dev/shm/flightring-bench.bpftrace.txt';
const PERF_DATA = '/dev/shm/flightring-bench.perf.data';

export interface Peer {
  readonly name: string;
  /** Whether it is installed. */
  available(): boolean;
  start(): Promise<void>;
  /** Ends it; returns what it says it lost and got, where it says so. */
  stop(): Promise<{ lost: number; got: number } | null>;
}

function installed(tool: string): boolean {
  return (process.env.PATH ?? '').split(':').some((folder) => existsSync(`${folder}/${tool}`));
}

async function end(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGINT');
  await gone;
}

export function ftrace(): Peer {
  const enable = (value: string) => writeFileSync(`${TRACING}/events/raw_syscalls/sys_enter/enable`, value);
  return {
    name: "ftrace's own event",
    available() {
      if (!existsSync(`${TRACING}/events`)) {
        mkdirSync(TRACING, { recursive: true });
        try {
          execFileSync('mount', ['-t', 'tracefs', 'nodev', TRACING], { stdio: 'ignore' });
        } catch {
          return false;
        }
      }
      return existsSync(`${TRACING}/events/raw_syscalls/sys_enter/enable`);
    },
    async start() {
      enable('1');
    },
    async stop() {
      enable('0');
      return null;
    },
  };
}

export function perf(): Peer {
  let child: ChildProcess | null = null;
  return {
    name: 'perf record',
    available: () => installed('perf'),
    async start() {
      child = spawn('perf', ['record', '-q', '-a', '-e', 'raw_syscalls:sys_enter', '-o', PERF_DATA], {
        stdio: 'ignore',
      });
    },
    async stop() {
      if (child) await end(child);
      const stats = execFileSync('perf', ['report', '--stats', '-i', PERF_DATA], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      rmSync(PERF_DATA, { force: true });
      rmSync(`${PERF_DATA}.old`, { force: true });
      const lost = [...stats.matchAll(/LOST_SAMPLES events:\s+(\d+)|LOST events:\s+(\d+)/g)];
      const got = /SAMPLE events:\s+(\d+)/.exec(stats);
      return {
        lost: lost.reduce((sum, match) => sum + Number(match[1] ?? match[2]), 0),
        got: Number(got?.[1] ?? 0),
      };
    },
  };
}

/** One line of text per event; without a filter, as somebody who looks for the unknown would. */
export function bpftrace(): Peer {
  let child: ChildProcess | null = null;
  const program =
    'tracepoint:raw_syscalls:sys_enter { printf("%llu %d %d %s %ld %lx\\n", nsecs, cpu, tid, comm, args->id, args->args[0]) }';
  return {
    name: 'bpftrace printf',
    available: () => installed('bpftrace'),
    async start() {
      child = spawn('bpftrace', ['-o', BPFTRACE_TEXT, '-e', program], { stdio: 'ignore' });
    },
    async stop() {
      if (child) await end(child);
      let lost = 0;
      let got = 0;
      for await (const line of createInterface({ input: createReadStream(BPFTRACE_TEXT) })) {
        const told = /^Lost (\d+) events/.exec(line);
        if (told) lost += Number(told[1]);
        else if (/^\d/.test(line)) got++;
      }
      rmSync(BPFTRACE_TEXT, { force: true });
      return { lost, got };
    },
  };
}

/** Waits until a tool that takes its time to attach has become noticeable. */
export async function untilNoticed(cost: () => Promise<number>, before: number): Promise<boolean> {
  for (let i = 0, seen = 0; i < 100; i++) {
    seen = (await cost()) > before * 1.4 ? seen + 1 : 0;
    if (seen === 3) return true;
    await sleep(50);
  }
  return false;
}
