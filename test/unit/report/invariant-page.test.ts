// What is said and drawn of invariants.

import { expect, test } from 'vitest';
import { defineInvariant, isTable } from '../../../src/check/invariant.ts';
import { INVARIANTS } from '../../../src/generated/invariants.ts';
import { edgesOf, toDot, toMermaid } from '../../../src/report/invariant-graph.ts';
import { invariantFacts, invariantList, invariantPage } from '../../../src/report/invariant-page.ts';
import { createPalette } from '../../../src/report/palette.ts';

const palette = createPalette(false);

const DOOR = defineInvariant({
  name: 'house.door',
  claim: 'a door is opened before it is shut',
  object: 'door',
  source: 'experience',
  key: 'frame',
  states: ['unknown', 'open', 'shut'],
  moves: {
    xsk_fill_take: { from: ['shut'], to: 'open' },
    xsk_drop: { from: ['open'], to: 'shut' },
  },
  sentence: () => '',
});

const SHAPELESS = defineInvariant({
  name: 'house.quiet',
  claim: 'it is quiet',
  object: 'house',
  source: 'wish',
  severity: 'warning',
  version: 2,
  needs: ['xsk_flush'],
  start: () => ({ step: () => {} }),
});

test('a page with its table of moves', () => {
  expect(invariantPage(DOOR, palette).join('\n')).toBe(
    `
house.door
  a door is opened before it is shut

  object    door
  severity  a violation freezes the rings
  source    experience
  version   1

  events it needs
    xsk_fill_take  the kernel took a frame to write a packet into
    xsk_drop       packets or frames were dropped

  where each event leads; · breaks the invariant
             xsk_fill_take  xsk_drop
    unknown  open           shut
    open     ·              shut
    shut     open           ·
  From unknown every event is legal once: at the start, and after events were lost.`.slice(1),
  );
});

test('a page without a picture', () => {
  const page = invariantPage(SHAPELESS, palette).join('\n');
  expect(page).toContain('a warning: counted, freezes only with --freeze-on warning');
  expect(page).toContain('version   2');
  expect(page).not.toContain('leads');
  expect(toMermaid(SHAPELESS)).toBeNull();
  expect(toDot(SHAPELESS)).toBeNull();
});

test('drawn by Mermaid', () => {
  expect(toMermaid(DOOR)).toBe(
    `
stateDiagram-v2
  %% house.door: a door is opened before it is shut
  state "unknown" as s0
  state "open" as s1
  state "shut" as s2
  [*] --> s0
  s0 --> s1: xsk_fill_take
  s0 --> s2: xsk_drop
  s2 --> s1: xsk_fill_take
  s1 --> s2: xsk_drop`.slice(1),
  );
});

test('drawn by Graphviz', () => {
  expect(toDot(DOOR)).toBe(
    `
digraph "house.door" {
  label="a door is opened before it is shut";
  rankdir=LR;
  node [shape=box, style=rounded];
  "unknown" [style="rounded,dashed"];
  "unknown" -> "open" [label="xsk_fill_take", style=dashed];
  "unknown" -> "shut" [label="xsk_drop", style=dashed];
  "shut" -> "open" [label="xsk_fill_take"];
  "open" -> "shut" [label="xsk_drop"];
}`.slice(1),
  );
});

test('the list has a line for each, aligned', () => {
  const list = invariantList([DOOR, SHAPELESS], palette);
  expect(list).toEqual([
    'house.door   violation  a door is opened before it is shut',
    'house.quiet  warning    it is quiet',
  ]);
});

test.each(INVARIANTS.map((invariant) => [invariant.name, invariant] as const))(
  '%s has a whole page and a sound picture',
  (_name, invariant) => {
    const page =
      invariantPage(invariant, createPalette(true)).join('\n') + JSON.stringify(invariantFacts(invariant));
    expect(page).not.toMatch(/undefined|NaN/);
    const edges = edgesOf(invariant);
    expect(edges?.length).toBeGreaterThan(0);
    for (const edge of edges ?? []) {
      expect(toMermaid(invariant)).toContain(edge.event);
      expect(isTable(invariant) ? edge.event : invariant.needs).toContain(edge.event);
    }
    // Every event it needs is explained by a probe's file.
    for (const line of invariantPage(invariant, palette)) expect(line).not.toMatch(/^ {4}(\w+) +\1$/);
  },
);
