// The life-lines of objects: which object an event is about, and the state it is in from then on.

import type { EventView } from '../decode/event-view.ts';
import { fieldText } from '../report/fields.ts';
import type { NamedObjects } from '../report/objects.ts';
import { CONTROL_LINES } from './control-lines.ts';
import type { Line } from './line.ts';
import { XskLines } from './xsk-lines.ts';

/** What becomes of a line at an event; null for the end, or for not knowing any more. */
export type Enter = (line: Line, state: string | null) => void;

/** Lines at most; more than that nobody looks at, and each takes memory. */
export const LINES_MAX = 20_000;

export class LifeLines {
  readonly #lines = new Map<string | number, Line>();
  /** Lines in a known state, by path. */
  readonly #open = new Map<string, Set<Line>>();
  readonly #xsk: XskLines;
  readonly #enter: Enter;
  readonly #objects: NamedObjects;
  /** Objects that have no line, because there are too many. */
  dropped = 0;

  constructor(objects: NamedObjects, enter: Enter) {
    this.#enter = enter;
    this.#objects = objects;
    this.#xsk = new XskLines(objects, {
      line: (key, type, label) => this.#line(key, type, 'xsk', label),
      move: (line, state) => this.#move(line, state),
    });
  }

  see(event: EventView): void {
    if (event.repeated) return;
    const { layout } = event;
    if (layout === undefined) return;
    if (layout.path === 'xsk') {
      this.#xsk.see(event);
      return;
    }
    const rule = CONTROL_LINES[layout.kind];
    if (rule === undefined) return;
    for (const { type, label, state } of rule(event, (name) => fieldText(event, name, this.#objects))) {
      const line = this.#line(label, type, layout.path, () => label);
      if (line) this.#move(line, state);
    }
  }

  /** Events of the path are missing: nothing is known of its objects; of all paths for ''. */
  forget(path: string): void {
    if (path === '' || path === 'xsk') this.#xsk.forget();
    for (const [of, lines] of this.#open) {
      if (path !== '' && of !== path) continue;
      for (const line of lines) this.#enter(line, null);
      for (const line of lines) line.state = null;
      lines.clear();
    }
  }

  /** Every line in a known state ends. */
  end(): void {
    this.forget('');
  }

  #line(key: string | number, type: string, path: string, label: () => string): Line | undefined {
    const known = this.#lines.get(key);
    if (known) return known;
    if (this.#lines.size >= LINES_MAX) {
      this.dropped++;
      return undefined;
    }
    const line = { id: this.#lines.size + 1, type, path, label: label(), state: null };
    this.#lines.set(key, line);
    return line;
  }

  #move(line: Line, state: string | null): void {
    if (state === null && line.state === null) return;
    this.#enter(line, state);
    line.state = state;
    let open = this.#open.get(line.path);
    if (!open) this.#open.set(line.path, (open = new Set()));
    if (state === null) open.delete(line);
    else open.add(line);
  }
}
