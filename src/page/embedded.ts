// What a page holds of its recording and what it leaves out, counted.

import type { RecordingMeta } from '../model/recording.ts';
import { formatCount, plural } from '../report/span.ts';
import { AFTER, BEFORE, FOLLOWED_MAX, LAST, LIFE_AFTER, LIFE_BEFORE, VIOLATIONS_MAX } from './limits.ts';
import type { Followed } from './lives.ts';
import type { Embedded } from './model.ts';
import { plain } from './plain.ts';
import type { Rows } from './rows.ts';
import type { Survey } from './survey.ts';

/** Counts that add up, and the rule by which the events were chosen. */
export function embeddedOf(
  survey: Survey,
  { here, rows }: Rows,
  lives: readonly Followed[],
  { violations }: RecordingMeta,
): Embedded {
  const kinds = [...survey.kinds]
    .map(([kind, total]) => ({ kind: plain(kind), total, here: here.get(kind) ?? 0 }))
    .sort((a, b) => b.total - a.total);
  const of = kinds.reduce((sum, { total }) => sum + total, 0);
  const whole = rows.length === of;
  const rules = whole
    ? ['every event of the recording']
    : [
        ...(violations.length > 0
          ? [
              'every event behind a violation',
              `of each object involved, its last ${formatCount(LIFE_BEFORE)} events up to the violation and ${formatCount(LIFE_AFTER)} after it`,
              `the ${formatCount(BEFORE)} records before each of the first ${FOLLOWED_MAX} violations, and the ${formatCount(AFTER)} after it`,
            ]
          : [`the last ${formatCount(LAST)} records`]),
        'of all others, how many there are in each stretch of time, on each CPU and of the busiest threads',
      ];
  const cut = lives.filter(({ earlier, later }) => earlier + later > 0);
  return {
    events: rows.length,
    of,
    kinds,
    rules,
    leftOut: [
      ...cut.map(
        ({ plan, earlier, later }) =>
          `${plan.object}: ${plural(earlier, 'earlier event')} and ${plural(later, 'later event')}`,
      ),
      ...(violations.length > VIOLATIONS_MAX
        ? [`${plural(violations.length - VIOLATIONS_MAX, 'later violation')}`]
        : []),
      ...(violations.length > FOLLOWED_MAX
        ? [`the life-lines of all but the first ${FOLLOWED_MAX} violations' objects`]
        : []),
    ],
  };
}
