// The thread that dumps what exists: its children are the tools, and it ends when all has been handed over.

import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { dump, type DumpOptions } from '../source/snapshot/dump.ts';
import type { FromDump } from './snapshot/opening.ts';

/** What the thread that dumps is started with. */
export interface DumpStart extends DumpOptions {
  readonly port: MessagePort;
}

const { port, ...options } = workerData as DumpStart;
const say = (message: FromDump, transfer: readonly ArrayBuffer[] = []) => port.postMessage(message, transfer);

async function run(): Promise<void> {
  const end = await dump(options, (part) =>
    say({ type: 'part', part }, [part.lanes.buffer as ArrayBuffer]),
  ).catch((error: unknown) => ({
    notes: [`it failed: ${error instanceof Error ? error.message : String(error)}`],
    namespaces: 0,
  }));
  say({ type: 'end', end });
  port.close();
}

// The probes are attached and record from now on.
parentPort?.once('message', () => void run());
parentPort?.postMessage('loaded');
