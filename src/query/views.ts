// The views and tables that can be asked, with their columns, for help.

import { EVENT_COLUMNS } from './columns.ts';
import { RECORDINGS, TABLES } from './tables.ts';
import { VOCABULARY } from './vocabulary.ts';

interface View {
  readonly name: string;
  readonly says: string;
  readonly columns: readonly string[];
}

const PLACE = ['recording', 'file'];

const SAYS: Readonly<Record<string, string>> = {
  recordings: 'one row for each recording: its kernel, window and losses',
  violations: 'what broke, live, in these very events',
  objects: "AF_XDP's umems, queues and sockets; `object` is the number in events",
  coverage: 'each probe: attached and how, or why not',
  windows: 'what each CPU held of each path when it was frozen',
  invariants: 'what each invariant has checked and found',
  threads: 'names of threads and from when on',
  kinds: 'what each kind of event says',
  words: "what numbers mean; word(kind, 'field', number) looks one up",
};

export const VIEWS: readonly View[] = [
  {
    name: 'events',
    says: 'one row for each event; key=value folders (host=…/date=…) are columns here and in the other views',
    columns: [...PLACE, 'time', 'snapshot', ...EVENT_COLUMNS.map(({ name }) => name)],
  },
  {
    name: 'gaps',
    says: 'places where events are missing',
    columns: [...PLACE, 'time', 'ts', 'until_time', 'until', 'cpu', 'path', 'lost', 'reason', 'seq'],
  },
  ...[RECORDINGS, ...TABLES].map(({ name, columns, times }) => ({
    name,
    says: SAYS[name] ?? '',
    columns: [
      ...PLACE,
      ...Object.keys(columns)
        .filter((column) => column !== 'file')
        .flatMap((column) => [...(times[column] === undefined ? [] : [times[column]]), column]),
    ],
  })),
  ...VOCABULARY.map(({ name, columns }) => ({
    name,
    says: SAYS[name] ?? '',
    columns: Object.keys(columns),
  })),
];
