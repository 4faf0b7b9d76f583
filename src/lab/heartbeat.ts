// Listens to the guest's heartbeat, and notices when it has fallen silent.

import type { Readable } from 'node:stream';

import { deferred } from './command.ts';

/** How often the guest's agent says that it is alive. */
export const heartbeatSeconds = 2;
/*
 * With room: a guest may be one of many jobs on a slow host, or have the host's swapping under its feet, and is not to be
 * called dead for it. With load averages of 20 on two CPUs no guest that lived was.
 */
const silenceMs = 60_000;
const tickMs = 1_000;

export interface Heartbeat {
  /** Resolves, with the time in ms, when none came for too long. */
  readonly silent: Promise<number>;
  /** What the guest said last: its uptime and load; and the longest silence so far. */
  last(): string;
  longestMs(): number;
  stop(): void;
}

export function watchHeartbeat(control: Readable, limitMs: number = silenceMs): Heartbeat {
  const { promise, resolve } = deferred<number>();
  let last = 'nothing yet';
  let rest = '';
  let silentMs = 0;
  let longestMs = 0;
  const listen = (chunk: Buffer): void => {
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    const beat = lines.findLast((line) => line.startsWith('alive '));
    if (beat === undefined) return;
    last = beat.slice('alive '.length);
    silentMs = 0;
  };
  control.on('data', listen);
  // Counted in ticks of this process: a time in which the whole machine slept, or only we did, says nothing of the guest.
  const timer = setInterval(() => {
    silentMs += tickMs;
    longestMs = Math.max(longestMs, silentMs);
    if (silentMs >= limitMs) resolve(silentMs);
  }, tickMs);
  timer.unref();
  return {
    silent: promise,
    last: () => last,
    longestMs: () => longestMs,
    stop: () => {
      clearInterval(timer);
      control.off('data', listen);
      control.resume();
    },
  };
}
