// The loop that hands events to one invariant, compiled once per invariant.

import type { EventView } from '../decode/event-view.ts';
import type { Stepper } from './invariant.ts';

/** Steps through the events that begin at the first `count` of these lanes. */
export type StepLoop = (stepper: Stepper, view: EventView, lanes: Uint32Array, places: Int32Array, count: number) => void;

const BODY = `
  view.lanes = lanes;
  for (let i = 0; i < count; i++) {
    view.at = places[i];
    stepper.step(view);
  }`;

/**
 * V8 keeps what it learns of a call by source text: one loop shared by all invariants never learns which step it calls, and
 * costs 5 to 10 ns an event more than a text of its own for each. Where code from strings is forbidden, the shared one runs.
 */
export function compileLoop(name: string): StepLoop {
  try {
    return new Function('stepper', 'view', 'lanes', 'places', 'count', `// ${JSON.stringify(name)}${BODY}`) as StepLoop;
  } catch {
    return sharedLoop;
  }
}

function sharedLoop(stepper: Stepper, view: EventView, lanes: Uint32Array, places: Int32Array, count: number): void {
  view.lanes = lanes;
  for (let i = 0; i < count; i++) {
    view.at = places[i] as number;
    stepper.step(view);
  }
}
