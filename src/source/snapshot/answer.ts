// What one tool's output came to: records that exist, and how much of it made no sense.

import type { RecordSpec } from '../../decode/encode-record.ts';

/** Records made of a tool's output; `odd` entries could not be read. */
export interface Answer {
  readonly records: RecordSpec[];
  odd: number;
}

export function createAnswer(): Answer {
  return { records: [], odd: 0 };
}

/** Entries of one tool's answer for one namespace at most; what lies beyond is odd. */
export const ENTRIES_MAX = 131_072;

type Entry = Readonly<Record<string, unknown>>;

/** The entries of a tool's JSON; `odd` when it isn't a list of objects. iproute2 prints `{}` for what it filters. */
export function entriesOf(json: string, answer: Answer): Entry[] {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    value = undefined;
  }
  if (!Array.isArray(value)) {
    answer.odd++;
    return [];
  }
  answer.odd += Math.max(value.length - ENTRIES_MAX, 0);
  const entries: Entry[] = [];
  for (const entry of value.slice(0, ENTRIES_MAX) as unknown[]) {
    const object = objectOf(entry);
    if (object === undefined) answer.odd++;
    else if (Object.keys(object).length > 0) entries.push(object);
  }
  return entries;
}

export function objectOf(value: unknown): Entry | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Entry) : undefined;
}

/** A text of sensible length; undefined for anything else. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.length <= 128 ? value : undefined;
}

/** A whole number up to `most`; undefined for anything else. */
export function countOf(value: unknown, most = 0xffff_ffff): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most
    ? value
    : undefined;
}

/** A list of texts, such as flags; what is no text in it is left out. */
export function wordsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((word): word is string => typeof word === 'string') : [];
}

/** The sum of the bits that the words stand for; words without a bit add nothing. */
export function bitsOf(words: readonly string[], bits: Readonly<Record<string, number>>): number {
  let sum = 0;
  for (const word of words) sum |= Object.hasOwn(bits, word) ? (bits[word] as number) : 0;
  return sum >>> 0;
}
