// Which events of a recording to show.

import type { EventView } from '../decode/event-view.ts';
import type { ThreadNames } from './threads.ts';

/** What is left out lets everything through; times are ns of CLOCK_MONOTONIC, both ends included. */
export interface FilterOptions {
  readonly paths?: readonly string[];
  readonly kinds?: readonly string[];
  readonly cpus?: readonly number[];
  readonly tids?: readonly number[];
  readonly pids?: readonly number[];
  readonly comms?: readonly string[];
  readonly concerns?: (event: EventView) => boolean;
  readonly from?: number;
  readonly to?: number;
}

export interface Filter {
  /** In the time and on the CPUs wanted: what a gap must be to be shown. */
  covers(event: EventView): boolean;
  /** Wanted in every other respect as well. */
  wants(event: EventView): boolean;
  /** This event and all later ones lie behind the end. */
  isPast(event: EventView): boolean;
}

export function createFilter(options: FilterOptions, threads: ThreadNames): Filter {
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY, cpus, concerns, comms } = options;
  const kinds = options.kinds && new Set(options.kinds);
  const paths = options.paths && new Set(options.paths);
  const tests: ((event: EventView) => boolean)[] = [];
  if (kinds) tests.push((event) => kinds.has(event.kind));
  if (paths) tests.push((event) => paths.has(event.layout?.path ?? ''));
  if (options.tids) tests.push((event) => options.tids?.includes(event.tid) ?? false);
  if (options.pids) tests.push((event) => options.pids?.includes(event.pid) ?? false);
  if (comms) tests.push((event) => comms.includes(threads.at(event.tid, event.ts)));
  if (concerns) tests.push(concerns);
  return {
    covers: (event) => event.ts >= from && event.ts <= to && (cpus?.includes(event.cpu) ?? true),
    wants: (event) => tests.every((test) => test(event)),
    isPast: (event) => event.ts > to,
  };
}
