// A violation in plain words: what broke, the events behind it, what the recording holds, where to look next.

import { PROBE_PATHS } from '../generated/probes.ts';
import type { RecordingMeta } from '../model/recording.ts';
import { SNAPSHOT_CPU } from '../model/slot.ts';
import type { EventRef, Violation } from '../model/violation.ts';
import type { Palette } from './palette.ts';
import { parseSelector, selectorText } from './selector.ts';
import { formatCount, formatOffset } from './span.ts';
import { freezeSentence } from './trace-header.ts';

export interface ViolationOptions {
  readonly palette: Palette;
  /** Window and freeze facts are taken from here. */
  readonly meta?: Pick<RecordingMeta, 'freeze' | 'loss'>;
  /** The recording, as the person would type it. */
  readonly path?: string;
  /** How the command is called, for the commands to try. Default `flightring`. */
  readonly command?: string;
}

const EVIDENCE_MAX = 8;

export function violationText(violation: Violation, options: ViolationOptions): string[] {
  const { palette, meta, path } = options;
  const { invariant, severity, sentence, orderDependent } = violation;
  const headline =
    severity === 'violation'
      ? palette.bad(`✗ ${invariant} is violated`)
      : palette.warn(`! ${invariant} warns`);
  return [
    headline,
    '',
    `  ${palette.bold(sentence.endsWith('.') ? sentence : `${sentence}.`)}`,
    ...(orderDependent
      ? [
          '',
          palette.warn(
            '  In the order recorded: the two events lie closer together than the clock can order.',
          ),
        ]
      : []),
    '',
    ...section('events', evidenceLines(violation, palette), palette),
    ...(meta?.freeze ? ['', ...section('window', windowLines(meta, violation), palette)] : []),
    ...(path === undefined ? [] : ['', ...section('recording', [path], palette)]),
    ...(path === undefined
      ? []
      : ['', ...section('next', nextCommands(violation, path, options.command), palette)]),
  ];
}

/** The three commands that lead on from here. */
export function nextCommands(violation: Violation, path: string, command = 'flightring'): string[] {
  const selector = parseSelector(violation.object);
  const file = quote(path);
  const show = selector ? `--object ${quote(selectorText(selector))}` : '--around 1ms';
  return [
    `${command} check ${file}`,
    `${command} show ${file} ${show}`,
    `${command} invariants ${violation.invariant}`,
  ];
}

function section(title: string, lines: readonly string[], palette: Palette): string[] {
  return lines.map((line, i) => `  ${palette.dim((i === 0 ? title : '').padEnd(11))}${line}`);
}

function evidenceLines({ at, evidence }: Violation, palette: Palette): string[] {
  const shown = evidence.slice(-EVIDENCE_MAX);
  const offsets = shown.map(({ ts }) => formatOffset(ts - at.ts));
  const width = Math.max(...offsets.map((offset) => offset.length));
  const kinds = Math.max(...shown.map(({ kind }) => kind.length));
  const cpus = Math.max(...shown.map((ref) => cpuText(ref).length));
  const lines = shown.map((ref, i) => {
    const line = `${(offsets[i] as string).padStart(width)}  ${cpuText(ref).padEnd(cpus)}  ${palette.kind(ref.kind, ref.kind.padEnd(kinds))}`;
    const meaning = meaningOf(ref);
    return ref === at || (ref.cpu === at.cpu && ref.seq === at.seq)
      ? `${line}  ${palette.bad(meaning)}`
      : `${line}  ${palette.dim(meaning)}`;
  });
  return evidence.length > shown.length
    ? [palette.dim(`… ${evidence.length - shown.length} earlier`), ...lines]
    : lines;
}

/** What existed before was found on no CPU. */
function cpuText({ cpu }: EventRef): string {
  return cpu === SNAPSHOT_CPU ? 'before' : `CPU ${cpu}`;
}

/** What an event of this kind means, from the probes. */
export function meaningOf({ kind }: Pick<EventRef, 'kind'>): string {
  for (const { kinds } of PROBE_PATHS) if (Object.hasOwn(kinds, kind)) return kinds[kind] as string;
  return kind;
}

function windowLines(meta: Pick<RecordingMeta, 'freeze' | 'loss'>, { at }: Violation): string[] {
  const { freeze, loss } = meta;
  if (!freeze) return [];
  const rows = freeze.window.map(({ cpu, path, events, firstTs, lastTs, overwritten }) => [
    `CPU ${cpu}${path === undefined ? '' : ` ${path}`}`,
    `${formatCount(events)} events`,
    firstTs === null ? '' : `from ${formatOffset(firstTs - at.ts)}`,
    lastTs === null ? '' : `to ${formatOffset(lastTs - at.ts)}`,
    `${formatCount(overwritten)} older ones overwritten`,
  ]);
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)));
  return [
    ...rows.map((row) =>
      row
        .map((cell, i) => (i === 1 ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    ),
    freezeSentence(freeze),
    ...(loss.overwritten > 0
      ? [`${formatCount(loss.overwritten)} events lost: overwritten before they were read`]
      : []),
  ];
}

/** Quoted for a shell if need be. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** One line for lists: `xsk.ownership  frame 0x… went …`. */
export function violationLine(violation: Violation, palette: Palette): string {
  const paint = violation.severity === 'violation' ? palette.bad : palette.warn;
  return `${paint(`${violation.severity === 'violation' ? '✗' : '!'} ${violation.invariant}`)}  ${violation.sentence}${
    violation.orderDependent ? palette.dim(' (in the order recorded)') : ''
  }`;
}
