// The loop that hands events to one invariant, compiled once per invariant.

import type { EventView } from '../decode/event-view.ts';
import { SLOT_LANES } from '../model/slot.ts';
import type { Invariant, Stepper } from './invariant.ts';

/** Steps through those of the slots [from, end) whose kind is wanted; returns how many they were. */
export type StepLoop = (
  stepper: Stepper,
  view: EventView,
  lanes: Uint32Array,
  kinds: Int32Array,
  wanted: Int32Array,
  from: number,
  end: number,
) => number;

const BODY = `
  view.lanes = lanes;
  let steps = 0;
  for (let slot = from; slot < end; slot++) {
    if (wanted[kinds[slot]] === 0) continue;
    view.at = slot * ${SLOT_LANES};
    stepper.step(view);
    steps = (steps + 1) | 0;
  }
  return steps;`;

/** Loops compiled so far. */
let compiled = 0;
/** Kept, so that of many recordings only the first one pays for the compiler. */
const loops = new WeakMap<Invariant, StepLoop>();

export function loopOf(invariant: Invariant): StepLoop {
  let loop = loops.get(invariant);
  if (loop === undefined) {
    loop = compileLoop();
    loops.set(invariant, loop);
  }
  return loop;
}

/**
 * V8 keeps what it learns of a call by source text: one loop shared by all invariants never learns which step it calls, and
 * costs 5 to 10 ns an event more than a text of its own for each. Where code from strings is forbidden, the shared one runs.
 */
function compileLoop(): StepLoop {
  const parameters = ['stepper', 'view', 'lanes', 'kinds', 'wanted', 'from', 'end'];
  try {
    // Nothing but a number of our own makes the texts differ: no part of them comes from outside.
    // oxlint-disable-next-line typescript/no-implied-eval
    return new Function(...parameters, `// ${++compiled}${BODY}`) as StepLoop;
  } catch {
    return sharedLoop;
  }
}

function sharedLoop(...[stepper, view, lanes, kinds, wanted, from, end]: Parameters<StepLoop>): number {
  view.lanes = lanes;
  let steps = 0;
  for (let slot = from; slot < end; slot++) {
    if (wanted[kinds[slot] as number] === 0) continue;
    view.at = slot * SLOT_LANES;
    stepper.step(view);
    steps++;
  }
  return steps;
}
