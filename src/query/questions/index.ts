// The ready-made questions, and how one is written for the recordings at hand.

import { UsageError } from '../../model/errors.ts';
import { parseSpan } from '../../report/duration.ts';
import { OBJECT_FORMS, parseSelector } from '../../report/selector.ts';
import { concerning, type ObjectRows } from '../object-condition.ts';
import { COVERAGE } from './coverage.ts';
import { DELETIONS } from './deletions.ts';
import { DROPS } from './drops.ts';
import { FILL_TO_RX } from './fill-to-rx.ts';
import { KINDS } from './kinds.ts';
import { LIFE } from './life.ts';
import { LOSSES } from './losses.ts';
import type { Question, QuestionParameter, QuestionValue } from './question.ts';
import { RATES } from './rates.ts';
import { RINGS } from './rings.ts';
import { TALKERS } from './talkers.ts';
import { VIOLATIONS } from './violations.ts';
import { WINDOWS } from './windows.ts';

export type { Question, QuestionParameter } from './question.ts';

export const QUESTIONS: readonly Question[] = [
  LIFE,
  DELETIONS,
  RINGS,
  FILL_TO_RX,
  RATES,
  KINDS,
  TALKERS,
  DROPS,
  LOSSES,
  WINDOWS,
  COVERAGE,
  VIOLATIONS,
];

interface Asked {
  rows<Row extends object>(sql: string): Promise<Row[]>;
  /** How many recordings there are. */
  readonly recordings: number;
  readonly partitions: readonly string[];
}

export async function writeQuestion(
  name: string,
  values: Readonly<Record<string, string>>,
  { rows, recordings, partitions }: Asked,
): Promise<string> {
  const question = QUESTIONS.find((candidate) => candidate.name === name);
  if (!question)
    throw new UsageError(
      'UNKNOWN_QUESTION',
      `There is no question "${name}"; there are ${QUESTIONS.map((known) => known.name).join(', ')}.`,
    );
  const known = Object.keys(question.parameters);
  for (const set of Object.keys(values))
    if (!known.includes(set))
      throw new UsageError(
        'UNKNOWN_PARAMETER',
        `The question ${name} has no ${set}; ${known.length === 0 ? 'it has nothing to set' : `to be set are ${known.join(', ')}`}.`,
      );
  const read: Record<string, QuestionValue> = {};
  for (const [parameter, described] of Object.entries(question.parameters)) {
    const text = values[parameter] ?? described.fallback;
    if (text === null)
      throw new UsageError(
        'MISSING_PARAMETER',
        `The question ${name} needs ${parameter}: ${described.purpose}; for example --set ${parameter}=frame:0x64000@umem:1.`,
      );
    read[parameter] = await readValue(parameter, text, described, rows);
  }
  return question.sql({ values: read, several: recordings > 1, partitions });
}

async function readValue(
  name: string,
  text: string,
  { kind }: QuestionParameter,
  rows: Asked['rows'],
): Promise<QuestionValue> {
  if (kind === 'span') {
    const ns = parseSpan(text, name);
    if (ns < 1) throw new UsageError('BAD_PARAMETER', `${name} must be longer than nothing, not "${text}".`);
    return { sql: String(ns) };
  }
  if (kind === 'count') {
    if (!/^[1-9]\d{0,8}$/.test(text))
      throw new UsageError('BAD_PARAMETER', `${name} takes a whole number from 1 on, not "${text}".`);
    return { sql: text };
  }
  const selector = parseSelector(text);
  if (!selector)
    throw new UsageError('BAD_OBJECT', `"${text}" names no object; write ${OBJECT_FORMS.join(', ')}.`);
  const objects = await rows<ObjectRows>(
    'SELECT recording, object, type, netns, ifindex, umem, parent, size, chunk_size, flags FROM objects ORDER BY ALL',
  );
  return { sql: concerning(selector, objects), selector };
}
