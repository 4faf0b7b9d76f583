// A thread that checks one recording after the other, as it is told.

import { parentPort, workerData } from 'node:worker_threads';
import type { Invariant } from '../check/invariant.ts';
import { explainThrown, loadInvariants } from '../check/load-invariants.ts';
import { INVARIANTS } from '../generated/invariants.ts';
import { checkRecording } from '../pipeline.ts';
import { failureOf, type FromChecker, type ToChecker, type WorkerStart } from './messages.ts';

/** Between two reports of how far a recording has come. */
const TELL_MS = 100;

const start = workerData as WorkerStart;
const port = parentPort;
if (!port) throw new Error('recordings are checked by a worker thread');
const say = (message: FromChecker) => port.postMessage(message);

async function chooseInvariants(): Promise<readonly Invariant[] | null> {
  const { invariants, modules } = start;
  if (invariants === null && modules.length === 0) return null;
  const chosen = INVARIANTS.filter(({ name }) => invariants?.includes(name));
  for (const module of modules) chosen.push(...(await loadInvariants(module)));
  return chosen;
}

const chosen = chooseInvariants();
// It is awaited for the first recording, which is told of what went wrong.
chosen.catch(() => {});

async function checkOne({ path }: ToChecker): Promise<void> {
  let events = 0;
  let told = performance.now();
  const onProgress = (done: number): void => {
    events = done;
    const now = performance.now();
    if (now - told < TELL_MS) return;
    told = now;
    say({ type: 'progress', events });
  };
  try {
    const invariants = await chosen;
    const check = await checkRecording(
      path,
      invariants === null ? { onProgress } : { onProgress, invariants },
    );
    // What a recording can do stays here; what it is goes over.
    const { batches: _, ...recording } = check.recording;
    say({ type: 'done', events, path, check: { ...check, recording }, failure: null });
  } catch (error) {
    say({ type: 'done', events, path, check: null, failure: failureOf(explainThrown(error, start.modules)) });
  }
}

port.on('message', (order: ToChecker) => void checkOne(order));
