// The main thread's side of the dump: starts its thread before privileges are given up, and sets it going once armed.

import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { KIND } from '../../generated/layouts.ts';
import { PROBE_PATHS } from '../../generated/probes.ts';
import type { SnapshotKind } from '../../model/probe.ts';
import type { KernelFilter } from '../../source/knobs.ts';

/** The kinds that are dumped for these paths. */
export function snapshotKinds(paths: readonly string[]): SnapshotKind[] {
  return PROBE_PATHS.filter(({ path }) => paths.includes(path))
    .flatMap(({ snapshot }) => snapshot ?? [])
    .filter(({ kind }) => kind in KIND);
}

/** What the checker needs of it; the port is to be transferred. */
export interface DumpLink {
  readonly port: MessagePort;
  readonly armedAt: number;
  readonly kinds: readonly SnapshotKind[];
}

export class DumpThread {
  readonly #worker: Worker;
  /** Resolves when the thread has loaded what it needs: ended while loading, it would leave files open. */
  readonly #loaded: Promise<void>;
  readonly #port: MessagePort;
  readonly #kinds: readonly SnapshotKind[];
  #armedAt = 0;

  /** `url` is the thread's program. */
  constructor(url: URL, kinds: readonly SnapshotKind[], { netns, ifindex }: KernelFilter) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port2;
    this.#kinds = kinds;
    this.#worker = new Worker(url, {
      workerData: { kinds: kinds.map(({ kind }) => kind), only: netns, ifindex, port: port1 },
      transferList: [port1],
    });
    // Without a snapshot recording goes on; the recordings say that it is missing.
    this.#worker.on('error', () => {});
    this.#loaded = new Promise((resolve) => {
      this.#worker.once('message', () => resolve());
      this.#worker.once('exit', () => resolve());
    });
    this.#worker.unref();
  }

  /** The probes will have recorded everything since `armedAt`. */
  begin(armedAt: number): void {
    this.#armedAt = armedAt;
    this.#worker.postMessage('begin');
  }

  get link(): DumpLink {
    return { port: this.#port, armedAt: this.#armedAt, kinds: this.#kinds };
  }

  async stop(): Promise<void> {
    this.#worker.ref();
    await this.#loaded;
    await this.#worker.terminate();
  }
}
