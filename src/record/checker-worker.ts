// The checker's thread: waits for events, runs the invariants, and flips the bank when one is broken.

import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { Checker } from '../check/checker.ts';
import { CONTROL, OBJECT_BYTES } from '../generated/layouts.ts';
import { OBJECTS_MAX } from '../model/objects.ts';
import { type Batch, SLOT_BYTES, SLOT_LANES } from '../model/slot.ts';
import type { Violation } from '../model/violation.ts';
import { ObjectMemory } from '../source/object-memory.ts';
import { BATCH_SLOTS, MEMORY, memoryOf, Waiter } from '../source/shim.ts';
import { Backlog } from './backlog.ts';
import { chooseInvariants } from './choose-invariants.ts';
import { Opening } from './snapshot/opening.ts';
import {
  type CheckerStart,
  COMMAND,
  type Figures,
  type FreezeCause,
  type FreezePlan,
  type FromChecker,
  type RearmOrder,
} from './messages.ts';
import { Threads } from './threads.ts';

/** Sleep while events come; and, with the doorbell to wake us, while none do. */
const BUSY_US = 1000;
const IDLE_US = 250_000;
/** While the snapshot is awaited, of which no doorbell tells. */
const AWAITING_US = 50_000;
/** With AF_XDP sockets about, the timer's looks must go on. */
const LOOKING_US = 2000;
/** Drains after which the names of threads are read even though events keep coming. */
const SNAPSHOT_AFTER = 20;
/** Violations kept per bank. */
const KEPT_MAX = 10_000;
/** How long is checked before the rings are emptied again: they hold some tens of milliseconds at the fastest. */
const CHECK_MS = 10;
const WATERMARK = 3;

const start = workerData as CheckerStart;
if (!parentPort) throw new Error('the checker runs as a worker thread');
const port = parentPort;
const say = (message: FromChecker) => port.postMessage(message);

/** A freeze that has been decided: it is carried out at `at`, and reported when all before it is checked. */
interface Pending {
  readonly cause: FreezeCause | 'rearm';
  readonly offendingTs: number | null;
  readonly at: number;
}

class Freezer {
  readonly #control: DataView;
  /** Decided, waiting for the time after the offending event. */
  pending: Pending | null = null;
  /** Flipped, waiting for its last events to be checked. */
  flipped: (Pending & { readonly bank: number; readonly flippedTs: number }) | null = null;

  constructor(control: DataView) {
    this.#control = control;
  }

  get spareFree(): boolean {
    return this.#control.getUint32(CONTROL.spare_free, true) === 1;
  }

  /** Decides a freeze; false if both banks are in use. */
  request(cause: Pending['cause'], offendingTs: number | null, afterNs: number): boolean {
    if (this.pending || this.flipped) return true;
    if (!this.spareFree) return false;
    this.pending = { cause, offendingTs, at: (offendingTs ?? now()) + afterNs };
    if (afterNs <= 0 || offendingTs === null) this.flip();
    return true;
  }

  /** Writers go on in the other bank from here: one plain store. */
  flip(): void {
    const pending = this.pending as Pending;
    const bank = this.#control.getUint32(CONTROL.bank, true);
    if (bank > 1 || !this.spareFree) return;
    this.#control.setUint32(CONTROL.spare_free, 0, true);
    this.#control.setUint32(CONTROL.bank, bank ^ 1, true);
    this.flipped = { ...pending, bank, flippedTs: now() };
    this.pending = null;
  }

  /** A tripwire flipped the bank inside the kernel. */
  tripped(bank: number, offendingTs: number, flippedTs: number): void {
    this.flipped = { cause: 'tripwire', offendingTs, at: offendingTs, bank, flippedTs };
    this.pending = null;
  }
}

/** CLOCK_MONOTONIC, ns: the clock of bpf_ktime_get_ns. */
function now(): number {
  return Number(process.hrtime.bigint());
}

/** The newest of those that wait: it stands for those before it. */
function lastOrder(): RearmOrder | undefined {
  let last: RearmOrder | undefined;
  for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port))
    last = next.message as RearmOrder;
  return last;
}

async function run(): Promise<void> {
  const { handle } = start;
  const controlMemory = memoryOf(handle, MEMORY.control, 4096);
  const control = new DataView(controlMemory.buffer, controlMemory.byteOffset, controlMemory.byteLength);
  const objects = new ObjectMemory(
    memoryOf(handle, MEMORY.objects, OBJECTS_MAX * OBJECT_BYTES),
    controlMemory,
  );
  const batchMemory = memoryOf(handle, MEMORY.batch, BATCH_SLOTS * SLOT_BYTES);
  const batch = {
    lanes: new Uint32Array(batchMemory.buffer, batchMemory.byteOffset, BATCH_SLOTS * SLOT_LANES),
    slots: 0,
  };
  const figuresMemory = memoryOf(handle, MEMORY.figures, 64);
  const figures = new DataView(figuresMemory.buffer, figuresMemory.byteOffset, figuresMemory.byteLength);
  const command = new Int32Array(start.command);
  const checker = new Checker(await chooseInvariants(start.invariants, start.modules), objects);
  const threads = new Threads();
  const waiter = new Waiter(handle);
  const freezer = new Freezer(control);
  const opening = start.snapshot
    ? new Opening({ ...start.snapshot, slots: start.slots }, start.snapshot.port)
    : null;
  const backlog = new Backlog();
  let held: Violation[] = [];
  let windowless = 0;
  let unconfirmedTrips = 0;
  let violations = 0;
  let warnings = 0;
  let quiet = 0;
  /** More is to be checked than was in one go. */
  let isBehind = false;
  let stopping = false;
  let plan: FreezePlan = start;
  /** To be carried out as soon as nothing is being frozen or saved. */
  let rearm: RearmOrder | null = null;
  let isExitWanted = start.exportOnStop;
  /** Something has frozen, and the order to go on has not come. */
  let isSpent = false;
  let told = false;
  let snapshot = true;
  let drains = 0;
  let trip: { ts: number; cpu: number; seq: number } | null = null;

  const freezes = (v: Violation) =>
    plan.freezeOn === 'warning' || (plan.freezeOn === 'violation' && v.severity === 'violation');

  const onViolations = (found: readonly Violation[]) => {
    let lost = false;
    for (const v of found) {
      if (v.severity === 'violation') violations++;
      else warnings++;
      if (held.length < KEPT_MAX) held.push(v);
      // Inside what is already being frozen it has its window.
      if (!freezes(v) || (freezer.flipped && v.at.ts <= freezer.flipped.flippedTs)) continue;
      if (isSpent || rearm || (trip && v.at.cpu === trip.cpu && v.at.seq === trip.seq)) continue;
      if (!freezer.flipped && freezer.request('violation', v.at.ts, plan.afterNs)) continue;
      lost = true;
      windowless++;
    }
    say({ type: 'violations', violations: found.slice(0, 20), windowless: lost });
  };

  const rearmTrip = () => {
    trip = null;
    control.setBigUint64(CONTROL.trip_ts, 0n, true);
    control.setBigUint64(CONTROL.trip_flipped_ts, 0n, true);
    control.setUint32(CONTROL.tripped, 0, true);
  };

  const spend = (isOver: boolean) => {
    isSpent = isOver;
    const bits = isOver || plan.freezeOn === 'none' ? 0 : start.tripwires;
    control.setUint32(CONTROL.tripwires, bits, true);
  };

  /** A tripwire froze inside the kernel, or would have if the other bank had been free. */
  const noticeTrip = () => {
    const u64 = (offset: number) => Number(control.getBigUint64(offset, true));
    // The time is written last.
    if (trip || control.getUint32(CONTROL.tripped, true) === 0 || u64(CONTROL.trip_ts) === 0) return;
    trip = {
      ts: u64(CONTROL.trip_ts),
      cpu: control.getUint32(CONTROL.trip_cpu, true),
      seq: u64(CONTROL.trip_seq),
    };
    const flippedTs = u64(CONTROL.trip_flipped_ts);
    if (flippedTs === 0) {
      rearmTrip();
      return;
    }
    freezer.tripped(control.getUint32(CONTROL.bank, true) ^ 1, trip.ts, flippedTs);
  };

  const check = (piece: Batch) => {
    const found = checker.check(piece);
    if (found.length > 0) onViolations(found);
  };

  /** Checks what was drained, unless it is held back for the snapshot; in a hurry all of it. */
  const take = (hurry: boolean) => {
    const watermark = Number(figures.getBigUint64(WATERMARK * 8, true));
    opening?.follow(batch, watermark);
    if (opening?.holds(backlog.slots, hurry)) {
      backlog.push(batch, watermark);
      return;
    }
    const until = performance.now() + CHECK_MS;
    for (const piece of backlog.take(batch, watermark, () => !hurry && performance.now() > until))
      if (opening) for (const part of opening.merge(piece)) check(part);
      else check(piece);
    isBehind = backlog.slots > 0;
  };

  const figuresNow = (): Figures => ({
    events: checker.events,
    lost: checker.lost,
    lostOf: Object.fromEntries(checker.lostOf),
    ...checker.positions,
    violations,
    warnings,
    windowless,
    unconfirmedTrips,
    counts: checker.counts(),
  });

  const report = () => {
    const flipped = freezer.flipped;
    if (!flipped || backlog.watermark <= flipped.flippedTs) return;
    const inside = held.filter((v) => v.at.ts <= flipped.flippedTs);
    held = held.filter((v) => v.at.ts > flipped.flippedTs);
    freezer.flipped = null;
    if (flipped.cause === 'rearm') {
      const number = rearm?.number ?? 0;
      plan = rearm ?? plan;
      rearm = null;
      spend(false);
      say({ type: 'rearmed', number, bank: flipped.bank, figures: figuresNow() });
      return;
    }
    const tripAt = trip;
    if (tripAt) {
      rearmTrip();
      if (!inside.some((v) => v.at.cpu === tripAt.cpu && v.at.seq === tripAt.seq)) {
        unconfirmedTrips++;
        say({ type: 'unconfirmed', bank: flipped.bank });
        return;
      }
    }
    if (start.rearmByHand) spend(true);
    say({
      type: 'frozen',
      bank: flipped.bank,
      cause: flipped.cause,
      offendingTs: flipped.offendingTs,
      flippedTs: flipped.flippedTs,
      violations: inside,
      threads: threads.all(),
      counts: checker.counts(),
      ...(opening ? { snapshot: opening.facts() } : {}),
    });
  };

  const sleepUs = () => {
    if (isBehind) return 0;
    if (rearm || freezer.pending || freezer.flipped || quiet === 0) return BUSY_US;
    if (start.lookForSockets && objects.length > 0) return LOOKING_US;
    return opening && !opening.taken ? AWAITING_US : IDLE_US;
  };

  say({ type: 'ready' });
  for (;;) {
    batch.slots = waiter.wait(sleepUs());
    if (batch.slots < 0) throw new Error(`draining the rings failed: ${batch.slots}`);
    noticeTrip();
    if (batch.slots > 0) {
      quiet = 0;
      threads.learn(batch);
    } else {
      quiet++;
    }
    take(false);
    if (opening?.taken && !told) {
      told = true;
      say({ type: 'snapshot', ...opening.taken });
    }
    // In the first pause, or without one when it has been long in coming.
    if (snapshot && (quiet > 0 || ++drains > SNAPSHOT_AFTER)) {
      threads.snapshot();
      snapshot = false;
    }
    if (freezer.pending && now() >= freezer.pending.at) freezer.flip();
    report();
    const order = Atomics.exchange(command, 0, COMMAND.none);
    if (order & COMMAND.freeze) freezer.request('signal', null, 0);
    if (order & COMMAND.rearm) rearm = lastOrder() ?? rearm;
    // What is being frozen or saved comes first, and so does a tripwire that flips at this moment: then it is asked again.
    if (rearm && !freezer.pending && !freezer.flipped) freezer.request('rearm', null, 0);
    if (order & COMMAND.stop) {
      stopping = true;
      // A violation that is being frozen takes the place of a freeze at the exit.
      if (freezer.pending || (freezer.flipped && freezer.flipped.cause !== 'rearm')) isExitWanted = false;
      if (freezer.pending) freezer.flip();
    }
    if (!stopping) continue;
    if (isExitWanted && !freezer.pending && !freezer.flipped) {
      isExitWanted = false;
      freezer.request('exit', null, 0);
    }
    if (!isExitWanted && !freezer.flipped && batch.slots < BATCH_SLOTS / 2) break;
  }
  // Nothing is recorded any more; what was claimed before this is still drained.
  control.setUint32(CONTROL.bank, 2, true);
  for (;;) {
    batch.slots = waiter.wait(0);
    take(true);
    if (batch.slots <= 0) break;
  }
  say({ type: 'end', figures: figuresNow() });
}

void run();
