// The embedded data, with its rows as events.

import { BEFORE_CPU, type PageData, type PageKind, type PageRow, type PageThread, ROW } from '../model.ts';

export interface Shown {
  readonly row: number;
  readonly ts: number;
  readonly cpu: number;
  readonly seq: number;
  readonly thread: PageThread;
  readonly kind: PageKind;
  readonly flags: string;
  readonly fields: readonly (readonly [name: string, text: string])[];
}

export class Recording {
  readonly page: PageData;
  readonly #texts: (string | undefined)[] = [];

  constructor(page: PageData) {
    this.page = page;
  }

  get count(): number {
    return this.page.rows.length;
  }

  #row(row: number): PageRow {
    return this.page.rows[row] as PageRow;
  }
  ts(row: number): number {
    return this.#row(row)[ROW.ts] as number;
  }
  cpu(row: number): number {
    return this.#row(row)[ROW.cpu] as number;
  }
  tid(row: number): number {
    return this.page.threads[this.#row(row)[ROW.thread] as number]?.tid ?? 0;
  }
  kind(row: number): PageKind {
    return this.page.kinds[this.#row(row)[ROW.kind] as number] as PageKind;
  }
  string(number: number): string {
    return number < 0 ? '' : (this.page.strings[number] ?? '');
  }

  event(row: number): Shown {
    const values = this.#row(row);
    const kind = this.kind(row);
    return {
      row,
      ts: this.ts(row),
      cpu: this.cpu(row),
      seq: values[ROW.seq] as number,
      thread: this.page.threads[values[ROW.thread] as number] as PageThread,
      kind,
      flags: this.string(values[ROW.flags] as number),
      fields: kind.fields.flatMap((name, i) => {
        const number = values[ROW.fields + i] ?? -1;
        return number < 0 ? [] : [[name, this.string(number)] as const];
      }),
    };
  }

  /** All of an event as text to be searched, in lower case. */
  searchText(row: number): string {
    const known = this.#texts[row];
    if (known !== undefined) return known;
    const { kind, thread, cpu, flags, fields } = this.event(row);
    const text = [
      kind.name,
      `cpu ${cpu}`,
      `${thread.comm}-${thread.tid}`,
      flags,
      ...fields.map(([name, value]) => `${name}=${value}`),
    ]
      .join(' ')
      .toLowerCase();
    this.#texts[row] = text;
    return text;
  }

  /** The first row at or after that time. */
  rowFrom(ts: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ts(middle) < ts) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export function cpuName(cpu: number): string {
  return cpu === BEFORE_CPU ? 'existed before' : `CPU ${cpu}`;
}

/** `rx_write` of `xsk_rx_write`: its lane or its colour says the path. */
export function shortKind(kind: PageKind): string {
  return kind.name.startsWith(`${kind.path}_`) ? kind.name.slice(kind.path.length + 1) : kind.name;
}
