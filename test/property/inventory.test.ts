// The inventory's law: what existed at any time, and the events after it, lead to the same state as all events.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Inventory } from '../../src/record/snapshot/inventory.ts';
import { rowsFor } from '../../src/record/snapshot/rows.ts';
import { BatchBuilder, type EventSpec } from '../unit/batch.ts';
import {
  ARMED,
  create,
  type Entry,
  KINDS,
  release,
  seen,
  timer,
  update,
  words,
  wordsOf,
} from '../unit/record/neighbours.ts';

const HOSTS = [1, 2, 3];
const EMPTY: Entry = { nud: 0, mac: '00:00:00:00:00:00' };

type World = ReadonlyMap<number, Entry>;

/** One thing that happens in the world; null if it can't happen there. */
interface Step {
  readonly what: 'make' | 'update' | 'timer' | 'end';
  readonly host: number;
  readonly entry: Entry;
}

const entries = fc.record({
  nud: fc.constantFrom(1, 2, 4, 0x80),
  mac: fc.constantFrom('02:00:00:00:00:0a', '02:00:00:00:00:0b'),
});
const steps = fc.array(
  fc.record({
    what: fc.constantFrom('make', 'update', 'timer', 'end'),
    host: fc.constantFrom(...HOSTS),
    entry: entries,
  }) as fc.Arbitrary<Step>,
  { maxLength: 25 },
);

function live(
  before: World,
  { what, host, entry }: Step,
  ts: number,
): { world: World; event: EventSpec } | null {
  const world = new Map(before);
  const known = world.get(host);
  if ((what === 'make') === (known !== undefined)) return null;
  switch (what) {
    case 'make':
      world.set(host, EMPTY);
      return { world, event: create(ts, host) };
    case 'update':
      world.set(host, entry);
      return { world, event: update(ts, host, entry) };
    case 'timer':
      world.set(host, { ...(known as Entry), nud: entry.nud });
      return { world, event: timer(ts, host, entry.nud) };
    case 'end':
      world.delete(host);
      return { world, event: release(ts, host) };
  }
}

/** Events ten apart from ARMED + 10 on, and the world after each; `worlds[0]` is that at arming. */
function history(start: World, all: readonly Step[]): { events: EventSpec[]; worlds: World[] } {
  const events: EventSpec[] = [];
  const worlds = [start];
  for (const step of all) {
    const next = live(worlds.at(-1) as World, step, ARMED + 10 * (events.length + 1));
    if (!next) continue;
    events.push(next.event);
    worlds.push(next.world);
  }
  return { events, worlds };
}

const listOf = (world: World) => [...world].map(([host, entry]) => words(host, entry)).sort();
const at = (worlds: readonly World[], ts: number) =>
  worlds[Math.min(Math.max(Math.floor((ts - ARMED) / 10), 0), worlds.length - 1)] as World;

function existing(inventory: Inventory, ts: number): string[] {
  return rowsFor(inventory.versions(), () => [ts], ts)
    .map(({ lanes }) => wordsOf(lanes))
    .sort();
}

test('from nothing: the state at any time is what the events up to it made', () => {
  fc.assert(
    fc.property(steps, fc.nat(30), (all, cut) => {
      const { events, worlds } = history(new Map(), all);
      const inventory = new Inventory({ kinds: KINDS, armedAt: ARMED, slots: 1 << 20 });
      inventory.settle([], ARMED);
      const builder = new BatchBuilder();
      inventory.follow(builder.build(events.slice(0, cut)));
      inventory.follow(builder.build(events.slice(cut)));
      for (let ts = ARMED; ts <= ARMED + 10 * (events.length + 1); ts += 5)
        expect(existing(inventory, ts)).toEqual(listOf(at(worlds, ts)));
    }),
  );
});

test('what existed at a time, taken as a dump, and the events after it lead to the same end', () => {
  fc.assert(
    fc.property(steps, fc.nat(30), (all, cut) => {
      const { events, worlds } = history(new Map(), all);
      const first = new Inventory({ kinds: KINDS, armedAt: ARMED, slots: 1 << 20 });
      first.settle([], ARMED);
      first.follow(new BatchBuilder().build(events));
      const t = ARMED + 10 * Math.min(cut, events.length);
      const lanes = Uint32Array.from(
        rowsFor(first.versions(), () => [t], t).flatMap((row) => [...row.lanes]),
      );
      const second = new Inventory({ kinds: KINDS, armedAt: t, slots: 1 << 20 });
      second.follow(new BatchBuilder().build(events.filter(({ ts }) => ts > t)));
      second.settle([{ from: t, to: t, lanes }], t);
      const end = ARMED + 10 * events.length;
      expect(existing(second, end)).toEqual(listOf(worlds.at(-1) as World));
      expect(existing(second, end)).toEqual(existing(first, end));
    }),
  );
});

test('a dump made while things happen: every record told is true at its time, and in the end all is known', () => {
  const start = fc.dictionary(fc.constantFrom('1', '2', '3'), entries);
  const request = fc.record({
    from: fc.nat(200),
    length: fc.nat(80),
    look: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(
      steps,
      start,
      fc.tuple(request, request, request),
      fc.nat(200),
      (all, before, requests, late) => {
        const world: World = new Map(Object.entries(before).map(([host, entry]) => [Number(host), entry]));
        const { events, worlds } = history(world, all);
        // Each host is looked at somewhere in a request of its own.
        const parts = HOSTS.map((host, i) => {
          const { from, length, look } = requests[i] as (typeof requests)[0];
          const entry = at(worlds, ARMED + from + Math.floor(look * length)).get(host);
          return seen(ARMED + from, ARMED + from + length, entry ? { [host]: entry } : {});
        });
        const last = Math.max(...parts.map(({ to }) => to));
        // Checked up to here when the dump comes; or nothing, when events were held back.
        const floor = late > 100 ? last + late : ARMED;
        const inventory = new Inventory({ kinds: KINDS, armedAt: ARMED, slots: 1 << 20 });
        const builder = new BatchBuilder();
        const known = Math.max(last, floor) + 1;
        inventory.follow(builder.build(events.filter(({ ts }) => ts < known)));
        const rows = inventory.settle(parts, floor);
        for (const { lanes, ts } of rows) {
          expect(ts).toBeGreaterThanOrEqual(floor);
          expect(listOf(at(worlds, ts))).toContain(wordsOf(lanes));
        }
        inventory.follow(builder.build(events.filter(({ ts }) => ts >= known)));
        const end = ARMED + 10 * events.length + known;
        expect(existing(inventory, end)).toEqual(listOf(worlds.at(-1) as World));
      },
    ),
    { numRuns: 500 },
  );
});
