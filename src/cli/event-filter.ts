// The options that say which events of a recording are meant, as `show` and `export` take them.

import { LAYOUTS } from '../generated/layouts.ts';
import { PROBE_PATHS } from '../generated/probes.ts';
import { UsageError } from '../model/errors.ts';
import type { RecordingMeta } from '../model/recording.ts';
import { type Batch, timeAt } from '../model/slot.ts';
import type { FilterOptions } from '../report/filter.ts';
import type { NamedObjects } from '../report/objects.ts';
import {
  createMatcher,
  OBJECT_FORMS,
  parseSelector,
  type Selector,
  selectorText,
} from '../report/selector.ts';
import { formatOffset, formatSeconds } from '../report/span.ts';
import type { ThreadNames } from '../report/threads.ts';
import { parseDuration } from '../report/duration.ts';
import { nearest, unknownWord } from './nearest.ts';

export interface EventFlags {
  readonly path?: string;
  readonly kind?: string;
  readonly cpu?: string;
  readonly tid?: string;
  readonly pid?: string;
  readonly comm?: string;
  readonly object?: string;
  readonly around?: string;
  readonly from?: string;
  readonly to?: string;
}

/** What is needed of the recording to understand them. */
export interface FilterContext {
  readonly meta: RecordingMeta;
  readonly objects: NamedObjects;
  readonly threads: ThreadNames;
  batches(): Iterable<Batch>;
}

export function readSelector(text: string): Selector {
  const selector = parseSelector(text);
  if (selector) return selector;
  const wanted = nearest(wordOf(text), OBJECT_FORMS.map(wordOf));
  const form = OBJECT_FORMS.find((candidate) => wordOf(candidate) === wanted);
  throw new UsageError(
    'BAD_OBJECT',
    `"${text}" names no object; did you mean ${form}? "flightring show --help" lists the others.`,
  );
}

function wordOf(text: string): string {
  return text.trim().split(/[: @]/, 1)[0] as string;
}

/** The options as a filter, and as the words that the header says. */
export function readFilter(
  options: EventFlags,
  { meta, objects, threads, batches }: FilterContext,
): { filter: FilterOptions; selected: string } {
  const filter: { -readonly [K in keyof FilterOptions]: FilterOptions[K] } = {};
  const selected: string[] = [];
  const say = (name: string, value: string | undefined) => {
    if (value !== undefined) selected.push(`${name} ${value}`);
  };
  if (options.path !== undefined)
    filter.paths = readWords(
      options.path,
      'path',
      PROBE_PATHS.map(({ path }) => path),
    );
  if (options.kind !== undefined)
    filter.kinds = readWords(
      options.kind,
      'kind',
      LAYOUTS.map(({ kind }) => kind).filter((kind) => kind !== 'gap'),
    );
  if (options.cpu !== undefined) filter.cpus = readCpus(options.cpu, meta);
  if (options.tid !== undefined) filter.tids = readNumbers(options.tid, '--tid');
  if (options.pid !== undefined) filter.pids = readNumbers(options.pid, '--pid');
  if (options.comm !== undefined) filter.comms = readComms(options.comm, threads);
  for (const name of ['path', 'kind', 'cpu', 'tid', 'pid', 'comm'] as const) say(name, options[name]);
  if (options.object !== undefined) {
    const selector = readSelector(options.object);
    filter.concerns = createMatcher(selector, objects);
    say('object', selectorText(selector));
  }
  const { around, from, to } = options;
  if (around === undefined && from === undefined && to === undefined)
    return { filter, selected: selected.join(', ') };
  const window = readWindow(around, from, to);
  const violation = meta.violations[0];
  if (around !== undefined && !violation)
    throw new UsageError(
      'NO_VIOLATION',
      'This recording holds no violation for --around; use --from and --to, which count from its first event.',
    );
  const reference = violation?.at.ts ?? firstTime(meta, batches());
  if (window.from !== undefined) filter.from = reference + window.from;
  if (window.to !== undefined) filter.to = reference + window.to;
  const ends = [
    window.from === undefined ? '' : `from ${formatOffset(window.from)}`,
    window.to === undefined ? '' : `to ${formatOffset(window.to)}`,
  ].filter((end) => end !== '');
  selected.push(
    `${ends.join(' ')} of the ${violation ? 'violation' : 'first event'} at ${formatSeconds(reference)}`,
  );
  return { filter, selected: selected.join(', ') };
}

function readWindow(around?: string, from?: string, to?: string): { from?: number; to?: number } {
  if (around !== undefined && (from !== undefined || to !== undefined))
    throw new UsageError('BAD_WINDOW', 'Give either --around or --from and --to, not both.');
  if (around !== undefined) {
    const span = Math.abs(parseDuration(around, '--around'));
    return { from: -span, to: span };
  }
  const window: { from?: number; to?: number } = {};
  if (from !== undefined) window.from = parseDuration(from, '--from');
  if (to !== undefined) window.to = parseDuration(to, '--to');
  if (window.from !== undefined && window.to !== undefined && window.from > window.to)
    throw new UsageError('BAD_WINDOW', `--from ${from} lies behind --to ${to}.`);
  return window;
}

function firstTime(meta: RecordingMeta, batches: Iterable<Batch>): number {
  for (const { lanes, slots } of batches) if (slots > 0) return timeAt(lanes, 0);
  return Number(meta.clocks.monotonicNs);
}

function readWords(text: string, what: string, known: readonly string[]): string[] {
  const words = text.split(',').map((word) => word.trim());
  for (const word of words) if (!known.includes(word)) throw unknownWord(what, word, known);
  return words;
}

function readComms(text: string, threads: ThreadNames): string[] {
  return readWords(text, 'thread name', [...threads.all, '<idle>', '<...>']);
}

function readCpus(text: string, { kernel }: RecordingMeta): number[] {
  const cpus = readNumbers(text, '--cpu');
  const most = kernel.cpus - 1;
  for (const cpu of cpus)
    if (cpu > most)
      throw new UsageError('BAD_CPU', `There is no CPU ${cpu} in this recording; the last one is ${most}.`);
  return cpus;
}

function readNumbers(text: string, option: string): number[] {
  return text.split(',').map((part) => readNumber(part.trim(), option));
}

export function readNumber(text: string, option: string): number {
  if (!/^\d{1,10}$/.test(text))
    throw new UsageError('BAD_NUMBER', `${option} takes whole numbers, not "${text}".`);
  return Number(text);
}
