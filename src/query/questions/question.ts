// A ready-made question: its name, what it asks, what may be set, and its SQL.

import type { Selector } from '../../report/selector.ts';

/** What the SQL of a question is written from. */
export interface QuestionContext {
  /** Several recordings are asked: the answer says of which one each row is. */
  readonly several: boolean;
  /** Names of the columns that the folders make. */
  readonly partitions: readonly string[];
  /** What was set, or the fallback: a condition on `events`, ns, or a number. */
  readonly values: Readonly<Record<string, QuestionValue>>;
}

export interface QuestionValue {
  /** SQL: a number, or of an object the condition that an event concerns it. */
  readonly sql: string;
  readonly selector?: Selector;
}

export interface QuestionParameter {
  readonly kind: 'object' | 'span' | 'count';
  readonly purpose: string;
  /** Null if it must be set. */
  readonly fallback: string | null;
}

export interface Question {
  readonly name: string;
  /** What it answers, one clause. */
  readonly purpose: string;
  readonly parameters: Readonly<Record<string, QuestionParameter>>;
  sql(context: QuestionContext): string;
}

/** The columns that say which recording, where there are several. */
export function ofRecording(several: boolean, table = ''): string {
  return several ? `${table}file, ` : '';
}
