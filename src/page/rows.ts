// The third reading: the chosen events with all their fields, the gaps, and how dense the rest is.

import type { EventView } from '../decode/event-view.ts';
import { GAP_KIND, SNAPSHOT_CPU } from '../model/slot.ts';
import type { Recording } from '../recording/open.ts';
import { eventsOf } from '../report/events.ts';
import { fieldPairs, flagWords } from '../report/fields.ts';
import { gapText } from '../report/gap.ts';
import { createObjectTable, type NamedObjects } from '../report/objects.ts';
import { createThreadNames, type ThreadNames } from '../report/threads.ts';
import { meaningOf } from '../report/violation.ts';
import type { PageGap, PageKind, PageRow, PageThread } from './model.ts';
import { plain, type Strings } from './plain.ts';

const BINS = 240;
const GAPS_MAX = 1000;

export interface RowsPlan {
  /** Positions of the events wanted. */
  readonly wanted: ReadonlySet<number>;
  readonly base: number;
  readonly first: number;
  readonly last: number;
  /** Lanes whose density is wanted. */
  readonly cpus: ReadonlySet<number>;
  readonly threads: ReadonlySet<number>;
  readonly strings: Strings;
}

export interface Rows {
  readonly rows: PageRow[];
  /** Position to row. */
  readonly rowAt: ReadonlyMap<number, number>;
  readonly kinds: PageKind[];
  readonly threads: PageThread[];
  readonly gaps: PageGap[];
  readonly gapsLeftOut: number;
  readonly here: ReadonlyMap<string, number>;
  readonly density: {
    bins: number;
    cpus: Record<number, number[]>;
    threads: Record<number, number[]>;
  };
}

export function readRows(recording: Recording, plan: RowsPlan, onProgress: (records: number) => void): Rows {
  const { wanted, base, first, last } = plan;
  const objects = createObjectTable(recording.meta.objects);
  const writer = new RowWriter(plan, objects, createThreadNames(recording.meta.threads));
  const gaps: PageGap[] = [];
  let gapsLeftOut = 0;
  const density = { bins: BINS, cpus: emptyBins(plan.cpus), threads: emptyBins(plan.threads) };
  const perNs = BINS / Math.max(1, last - first + 1);
  const rowAt = new Map<number, number>();
  let position = -1;
  for (const { event } of eventsOf(recording.batches())) {
    position++;
    if ((position & 0xffff) === 0) onProgress(position);
    objects.learn(event);
    if (event.kindNumber === GAP_KIND) {
      if (gaps.length < GAPS_MAX) gaps.push(gapOf(event, base, first));
      else gapsLeftOut++;
      continue;
    }
    const { ts, cpu } = event;
    if (cpu !== SNAPSHOT_CPU) {
      const bin = Math.min(BINS - 1, Math.max(0, Math.floor((ts - first) * perNs)));
      count(density.cpus[cpu], bin);
      count(density.threads[event.tid], bin);
    }
    if (wanted.has(position)) rowAt.set(position, writer.write(event));
  }
  const { rows, kinds, threads, here } = writer;
  return { rows, rowAt, kinds, threads, gaps, gapsLeftOut, here, density };
}

function emptyBins(lanes: ReadonlySet<number>): Record<number, number[]> {
  return Object.fromEntries([...lanes].map((lane) => [lane, new Array<number>(BINS).fill(0)]));
}

function count(bins: number[] | undefined, bin: number): void {
  if (bins) bins[bin] = (bins[bin] as number) + 1;
}

/** From its place to where the path's events are all there again. */
function gapOf(event: EventView, base: number, first: number): PageGap {
  const from = Math.max(event.ts, first);
  return {
    cpu: event.cpu,
    from: from - base,
    to: Math.max(from, event.u53('until')) - base,
    text: plain(gapText(event)),
  };
}

class RowWriter {
  readonly rows: PageRow[] = [];
  readonly kinds: PageKind[] = [];
  readonly threads: PageThread[] = [];
  readonly here = new Map<string, number>();
  readonly #kindNumbers = new Map<string, number>();
  readonly #threadNumbers = new Map<string, number>();
  readonly #plan: RowsPlan;
  readonly #objects: NamedObjects;
  readonly #names: ThreadNames;

  constructor(plan: RowsPlan, objects: NamedObjects, names: ThreadNames) {
    this.#plan = plan;
    this.#objects = objects;
    this.#names = names;
  }

  write(event: EventView): number {
    const { strings, base } = this.#plan;
    const flags = flagWords(event).join(', ');
    const values = new Map(fieldPairs(event, this.#objects).map(({ name, text }) => [name, text]));
    const kind = this.#kind(event);
    this.here.set(event.kind, (this.here.get(event.kind) ?? 0) + 1);
    return (
      this.rows.push([
        event.ts - base,
        event.cpu,
        event.seq,
        this.#thread(event),
        kind,
        flags === '' ? -1 : strings.of(flags),
        ...(this.kinds[kind] as PageKind).fields.map((name) => {
          const text = values.get(name);
          return text === undefined ? -1 : strings.of(text);
        }),
      ]) - 1
    );
  }

  #kind(event: EventView): number {
    const { kind, layout } = event;
    const known = this.#kindNumbers.get(kind);
    if (known !== undefined) return known;
    const number =
      this.kinds.push({
        name: kind,
        path: layout?.path ?? '',
        meaning: meaningOf({ kind }),
        fields: layout?.fields.map(({ name }) => name) ?? [],
      }) - 1;
    this.#kindNumbers.set(kind, number);
    return number;
  }

  #thread({ tid, pid, ts, cpu }: EventView): number {
    const comm = cpu === SNAPSHOT_CPU && tid === 0 ? 'snapshot' : this.#names.at(tid, ts);
    const key = `${tid} ${pid} ${comm}`;
    const known = this.#threadNumbers.get(key);
    if (known !== undefined) return known;
    const number = this.threads.push({ tid, pid, comm: plain(comm, 64) }) - 1;
    this.#threadNumbers.set(key, number);
    return number;
  }
}
