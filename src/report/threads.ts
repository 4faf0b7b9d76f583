// The name a thread had at a given time.

import type { ThreadName } from '../model/recording.ts';

export interface ThreadNames {
  /** `<idle>` for thread 0, `<...>` (as ftrace says it) for one whose name was never learned. */
  at(tid: number, ts: number): string;
  /** Every name there is. */
  readonly all: ReadonlySet<string>;
}

export function createThreadNames(threads: readonly ThreadName[]): ThreadNames {
  const byTid = new Map<number, ThreadName[]>();
  for (const name of [...threads].sort((a, b) => a.ts - b.ts)) {
    const names = byTid.get(name.tid);
    if (names) names.push(name);
    else byTid.set(name.tid, [name]);
  }
  return {
    all: new Set(threads.map(({ comm }) => comm)),
    at(tid, ts) {
      if (tid === 0) return '<idle>';
      const names = byTid.get(tid);
      if (!names) return '<...>';
      let at = names.length - 1;
      while (at >= 0 && (names[at] as ThreadName).ts > ts) at--;
      return names[at]?.comm ?? '<...>';
    },
  };
}
