// The recorder's reading thread, as small as can be: wait, drain, check, and flip the bank at a violation.

import { parentPort, workerData } from 'node:worker_threads';
import { Checker } from '../src/check/checker.ts';
import { INVARIANTS } from '../src/generated/invariants.ts';
import { SLOT_BYTES } from '../src/model/slot.ts';
import * as shim from '../src/source/shim.ts';
import { HealthyObjects } from './healthy.ts';
import { CONTROL_WORD } from './recorder.ts';
import { SHARED } from './recording.ts';

interface WorkerData {
  readonly handle: number;
  readonly invariants: string;
  readonly freezes: boolean;
  readonly shared: SharedArrayBuffer;
}

const { handle, invariants, freezes, shared } = workerData as WorkerData;
const figures = new Float64Array(shared);
const view = (which: number, bytes: number) => {
  const memory = shim.memoryOf(handle, which, bytes);
  return new Uint32Array(memory.buffer, memory.byteOffset, bytes / 4);
};
const control = view(shim.MEMORY.control, 4096);
const batch = { lanes: view(shim.MEMORY.batch, shim.BATCH_SLOTS * SLOT_BYTES), slots: 0 };
const checker = new Checker(
  INVARIANTS.filter(({ name }) => name.startsWith(invariants)),
  new HealthyObjects(64),
);
const waiter = new shim.Waiter(handle);
const nowNs = () => Number(process.hrtime.bigint());

parentPort?.postMessage({ ready: true });
let before = nowNs();
while (figures[SHARED.stop] === 0) {
  batch.slots = waiter.wait(1000);
  if (batch.slots < 0) throw new Error(`waiting failed: ${batch.slots}`);
  const found = checker.check(batch);
  if (found.length > 0 && freezes) {
    control[CONTROL_WORD.bank] = (control[CONTROL_WORD.bank] as number) ^ 1;
    parentPort?.postMessage({ flippedNs: nowNs(), at: found[0]?.at, sentence: found[0]?.sentence });
  }
  const now = nowNs();
  if (now - before > (figures[SHARED.longestNs] as number)) figures[SHARED.longestNs] = now - before;
  before = now;
  figures[SHARED.violations] = (figures[SHARED.violations] as number) + found.length;
}
const first = checker.violations[0];
parentPort?.postMessage({ done: true, sentence: first ? `${first.invariant}: ${first.sentence}` : null });
