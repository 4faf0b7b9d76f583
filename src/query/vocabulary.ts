// What kinds and numbers mean, as tables: `kinds` and `words`.

import { LAYOUTS } from '../generated/layouts.ts';
import { PROBE_PATHS } from '../generated/probes.ts';

interface Vocabulary {
  readonly name: string;
  readonly columns: Readonly<Record<string, string>>;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

const KINDS = LAYOUTS.map(({ kind, path }) => ({
  kind,
  path,
  says: PROBE_PATHS.find((candidate) => candidate.path === path)?.kinds[kind] ?? null,
}));

/** A word of a kind's own field wins over that of the field in any kind of its path. */
const WORDS = LAYOUTS.flatMap(({ kind, path, fields }) => {
  const words = PROBE_PATHS.find((candidate) => candidate.path === path)?.words ?? {};
  return fields.flatMap(({ name, type }) =>
    Object.entries(words[`${kind}.${name}`] ?? words[name] ?? {}).map(([number, word]) => ({
      kind,
      field: name,
      number,
      word,
      bit: type === 'bits',
    })),
  );
});

export const VOCABULARY: readonly Vocabulary[] = [
  {
    name: 'kinds',
    columns: { kind: 'VARCHAR', path: 'VARCHAR', says: 'VARCHAR' },
    rows: KINDS,
  },
  {
    name: 'words',
    columns: { kind: 'VARCHAR', field: 'VARCHAR', number: 'BIGINT', word: 'VARCHAR', bit: 'BOOLEAN' },
    rows: WORDS,
  },
];

/** Columns of `events` whose numbers have words, bits apart. */
export const WORDED: ReadonlySet<string> = new Set(WORDS.filter(({ bit }) => !bit).map(({ field }) => field));
