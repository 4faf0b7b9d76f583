// The outcome of a check in words: the verdict on every claim, what broke, and how it compares with what was seen live.

import { SHARE_BASE } from '../model/slot.ts';
import type { Violation } from '../model/violation.ts';
import type { InvariantVerdict, LiveComparison, RecordingCheck, Verdict } from '../pipeline.ts';
import type { RecordingFacts } from '../recording/open.ts';
import { newerLines } from '../report/newer.ts';
import type { Palette } from '../report/palette.ts';
import { formatCount, formatSeconds, plural } from '../report/span.ts';
import { nextCommands, violationLine, violationText } from '../report/violation.ts';

/** Violations told in a line each; the first is told whole, those beyond are only counted. */
const LINES = 20;

export function checkLines(check: RecordingCheck<RecordingFacts>, palette: Palette): string[] {
  const { recording, summary, outOfWindow } = check;
  const { meta, path } = recording;
  const [first, ...others] = summary.violations;
  return [
    `${palette.bold(path)}  ${plural(summary.events, 'event')}, Linux ${meta.kernel.release}, ${plural(meta.kernel.cpus, 'CPU')}`,
    '',
    ...(first ? [...violationText(first, { palette, meta }), ''] : []),
    ...violationList(others, palette, ''),
    ...violationList(outOfWindow, palette, ' — seen live; its history lies before the window'),
    ...verdictTable(check.verdicts, palette),
    '',
    ...liveLines(check, palette),
    ...lossLines(check, palette),
    ...(first
      ? [
          '',
          ...nextCommands(first, path)
            .slice(1)
            .map((command, i) => `${palette.dim(i === 0 ? 'next' : '    ')}  ${command}`),
        ]
      : []),
  ];
}

function violationList(violations: readonly Violation[], palette: Palette, remark: string): string[] {
  if (violations.length === 0) return [];
  const more = violations.length - LINES;
  return [
    ...violations
      .slice(0, LINES)
      .map(
        (violation) => `${violationLine(violation, palette)}  ${palette.dim(placeOf(violation))}${remark}`,
      ),
    ...(more > 0 ? [palette.dim(`… and ${formatCount(more)} more`)] : []),
    '',
  ];
}

/** `at 123.456789 on CPU 1, event 42`: the number in its path's share, which stands in the upper bits. */
function placeOf({ at }: Violation): string {
  return `at ${formatSeconds(at.ts)} on CPU ${at.cpu}, event ${at.seq % SHARE_BASE}`;
}

function verdictTable(verdicts: readonly InvariantVerdict[], palette: Palette): string[] {
  const width = Math.max(0, ...verdicts.map(({ invariant }) => invariant.length));
  const paint: Readonly<Record<Verdict, (text: string) => string>> = {
    violated: palette.bad,
    holds: palette.bold,
    unknown: palette.warn,
  };
  return verdicts.map(({ invariant, verdict, counts, reasons }) => {
    const fired =
      counts.fired > 0
        ? [`broken ${counts.fired === 1 ? 'once' : `${formatCount(counts.fired)} times`}`]
        : [];
    const remarks = [`${plural(counts.checked, 'event')} checked`, ...fired, ...reasons].join('; ');
    return `${invariant.padEnd(width)}  ${paint[verdict](verdict.padEnd(8))}  ${palette.dim(remarks)}`;
  });
}

function liveLines(
  { comparison, unknownInvariants, otherVersions }: RecordingCheck<RecordingFacts>,
  palette: Palette,
): string[] {
  return [
    ...(comparison
      ? comparisonLines(comparison, palette)
      : ['no live verdict to compare with: none of these invariants ran live']),
    ...(otherVersions.length > 0
      ? [palette.warn(`another version of ${otherVersions.join(', ')} ran live`)]
      : []),
    ...(unknownInvariants.length > 0
      ? [
          palette.warn(
            `not checked: ${unknownInvariants.join(', ')} ran live, but is not part of this flightring; name its module with --invariants ./mine.ts`,
          ),
        ]
      : []),
  ];
}

function comparisonLines(
  { live, reproduced, missing, added, changed }: LiveComparison,
  palette: Palette,
): string[] {
  const same = missing.length + added.length + changed.length === 0;
  const verdict = `live verdict reproduced: ${formatCount(reproduced)} of ${formatCount(live)}`;
  const say = (label: string, violations: readonly Violation[]) => [
    ...violations
      .slice(0, LINES)
      .map(
        (violation) => `  ${label}  ${violationLine(violation, palette)}  ${palette.dim(placeOf(violation))}`,
      ),
    ...(violations.length > LINES ? [`  ${label}  ${formatCount(violations.length - LINES)} more`] : []),
  ];
  return [
    same ? `${verdict}, event for event` : palette.warn(verdict),
    ...say('only live', missing),
    ...say('only now ', added),
    ...say(
      'was live ',
      changed.map((change) => change.live),
    ),
    ...say(
      'is now   ',
      changed.map((change) => change.now),
    ),
  ];
}

function lossLines({ summary, recording }: RecordingCheck<RecordingFacts>, palette: Palette): string[] {
  const { recursionMisses, objectsDropped, windowlessViolations } = recording.meta.loss;
  const notes = recording.meta.notes.map((note) => `note: ${note}`);
  const unread = [...recording.unknownKinds].map(
    ([kind, count]) => `${plural(count, 'event')} of kind ${kind}, which this flightring doesn't know`,
  );
  return [
    summary.lost > 0 ? `lost: ${plural(summary.lost, 'event')}; what they would have said is unknown` : '',
    recursionMisses > 0
      ? `lost: ${plural(recursionMisses, 'event')} of probes interrupted by themselves`
      : '',
    objectsDropped > 0 ? `lost: ${plural(objectsDropped, 'object')} beyond the object table` : '',
    windowlessViolations > 0
      ? `${plural(windowlessViolations, 'later violation')} found live while both banks were in use, without a recording`
      : '',
    ...newerLines(recording),
    ...unread.map((text) => `left out: ${text}`),
    ...notes,
  ]
    .filter((line) => line !== '')
    .map(palette.warn);
}

/** The same for scripts. */
export function checkFacts(check: RecordingCheck<RecordingFacts>): Record<string, unknown> {
  const { recording, summary, verdicts, outOfWindow, comparison, unknownInvariants, otherVersions } = check;
  return {
    path: recording.path,
    form: recording.form,
    newer: recording.newer,
    rows: recording.rows,
    damage: recording.damage,
    kernel: recording.meta.kernel,
    events: summary.events,
    lost: summary.lost,
    loss: recording.meta.loss,
    snapshot: recording.meta.snapshot ?? null,
    notes: recording.meta.notes,
    verdicts,
    violations: summary.violations,
    outOfWindow,
    live: comparison,
    unknownInvariants,
    otherVersions,
    unknownKinds: Object.fromEntries(recording.unknownKinds),
  };
}
