// The second reading: the objects involved are followed through their stations.

import type { Invariant } from '../check/invariant.ts';
import type { EventView } from '../decode/event-view.ts';
import { UsageError } from '../model/errors.ts';
import { GAP_KIND } from '../model/slot.ts';
import type { Recording } from '../recording/open.ts';
import { eventsOf } from '../report/events.ts';
import { createObjectTable, type NamedObjects } from '../report/objects.ts';
import type { Selector } from '../report/selector.ts';
import { LIFE_AFTER, LIFE_BEFORE } from './limits.ts';
import { createTrack, type Stop, type Track } from './stations.ts';

const NOWHERE: Stop = { station: undefined, detail: '' };

export interface LifePlan {
  /** In the words of the violation. */
  readonly object: string;
  readonly selector: Selector;
  /** The violation is about it; of the others, its evidence speaks. */
  readonly own: boolean;
  readonly invariant: Invariant | undefined;
  /** Position of the violation; -1 without one. */
  readonly until: number;
  /** Positions of events that belong to it whatever they speak of. */
  readonly evidence: Set<number>;
}

export interface LifePoint extends Stop {
  readonly position: number;
}

export interface Followed {
  readonly plan: LifePlan;
  readonly track: Track;
  readonly points: LifePoint[];
  /** Positions of the evidence that speaks of this very object. */
  readonly ownEvidence: Set<number>;
  earlier: number;
  later: number;
}

interface Follower {
  readonly followed: Followed;
  readonly matches: (event: EventView) => boolean;
}

export function followObjects(
  recording: Recording,
  plans: readonly LifePlan[],
  onProgress: (records: number) => void,
): Followed[] {
  if (plans.length === 0) return [];
  const objects = createObjectTable(recording.meta.objects);
  const followers = plans.flatMap((plan) => follow(plan, objects) ?? []);
  let position = -1;
  for (const { event } of eventsOf(recording.batches())) {
    position++;
    if ((position & 0xffff) === 0) onProgress(position);
    objects.learn(event);
    if (event.kindNumber === GAP_KIND || event.repeated) continue;
    for (const follower of followers) see(follower, event, position);
  }
  return followers.map(({ followed }) => {
    if (followed.plan.until < 0) trim(followed);
    return followed;
  });
}

/** Undefined where the recording has no such object. */
function follow(plan: LifePlan, objects: NamedObjects): Follower | undefined {
  try {
    const track = createTrack(plan.selector, objects, plan.invariant, plan.own);
    return {
      followed: { plan, track, points: [], ownEvidence: new Set(), earlier: 0, later: 0 },
      matches: plan.selector.matcher(objects),
    };
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

function see({ followed, matches }: Follower, event: EventView, position: number): void {
  const { plan, track, points, ownEvidence } = followed;
  const isOwn = matches(event) || track.moves?.(event) === true;
  const isEvidence = plan.evidence.has(position);
  if (!isOwn && !isEvidence) return;
  if (isOwn && isEvidence) ownEvidence.add(position);
  // What is said of another object moves this one nowhere.
  const stop = isOwn ? track.step(event) : NOWHERE;
  if (plan.until >= 0 && position > plan.until) {
    if (points.length === 0 || afterwards(followed) >= LIFE_AFTER) followed.later++;
    else points.push({ position, ...stop });
    return;
  }
  points.push({ position, ...stop });
  if (points.length >= 2 * LIFE_BEFORE || position === plan.until) trim(followed);
}

function afterwards({ points, plan }: Followed): number {
  let count = 0;
  for (let i = points.length - 1; i >= 0 && (points[i] as LifePoint).position > plan.until; i--) count++;
  return count;
}

/** Leaves the last points, and every event behind the violation. */
function trim(followed: Followed): void {
  const { points, plan } = followed;
  const gone = points.splice(0, Math.max(0, points.length - LIFE_BEFORE));
  const kept = gone.filter(({ position }) => plan.evidence.has(position));
  points.unshift(...kept);
  followed.earlier += gone.length - kept.length;
}
