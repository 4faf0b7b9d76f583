// The same set of names in the C of the probes, in the generated layouts, and in src/probes.

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { LAYOUTS } from '../../../src/generated/layouts.ts';
import { PROBE_PATHS } from '../../../src/generated/probes.ts';

const FOLDER = new URL('../../../bpf/probes/', import.meta.url);
/** By path: its file and the headers beside it, `xsk.bpf.c` and `xsk-look.bpf.h`. */
const SOURCES = new Map<string, string>();
for (const file of readdirSync(FOLDER)
  .filter((name) => /\.bpf\.[ch]$/.test(name))
  .sort()) {
  const path = file.replace(/[-.].*$/, '');
  SOURCES.set(path, (SOURCES.get(path) ?? '') + readFileSync(new URL(file, FOLDER), 'utf8'));
}

/** `name target` of every program, each once whatever its variants. */
function programsIn(source: string): string[] {
  const found = new Set<string>();
  for (const [, name, target] of source.matchAll(/^FR_(?:ENTRY|EXIT|EXIT_ANY|RAW)\((\w+),\s*(\w+)/gm))
    found.add(`${name} ${target}`);
  for (const [, name, method] of source.matchAll(/^SEC\("[^"]+"\)\s*\n?int (\w+)__(\w+)\(/gm))
    found.add(`${name} ${method}`);
  return [...found].sort();
}

function kindsWrittenIn(source: string): string[] {
  return [
    ...new Set(
      // `name` is the parameter of a macro that begins records for its users.
      [...source.matchAll(/\b(?:fr_begin|fr_write|xsk_emit)\((?!name\b)(\w+),/g)].map(
        (match) => match[1] as string,
      ),
    ),
  ].sort();
}

test('every file of bpf/probes has one of the same name in src/probes, and the other way round', () => {
  expect(SOURCES.size).toBeGreaterThan(1);
  expect(PROBE_PATHS.map(({ path }) => path).sort()).toEqual([...SOURCES.keys()].sort());
});

describe.each(PROBE_PATHS.map((path) => [path.path, path] as const))('%s', (name, path) => {
  const source = SOURCES.get(name) ?? '';
  const layouts = LAYOUTS.filter((layout) => layout.path === name);
  const kinds = layouts.map(({ kind }) => kind).sort();
  const snapshot = path.snapshot ?? [];
  const dumped = snapshot.map(({ kind }) => kind);

  test('programs and their targets are the same in C and here', () => {
    expect(path.probes.map((probe) => `${probe.name} ${probe.target}`).sort()).toEqual(programsIn(source));
  });

  test('the kinds with a layout are those explained here, and those written in C', () => {
    expect(Object.keys(path.kinds).sort()).toEqual(kinds);
    expect([...kindsWrittenIn(source), ...dumped].sort()).toEqual(kinds);
  });

  test('the kinds that probes are said to write are all of them', () => {
    expect([...new Set(path.probes.flatMap((probe) => probe.writes)), ...dumped].sort()).toEqual(kinds);
  });

  test('what is dumped at the start is followed by events that exist, field by field', () => {
    const fieldsOf = (kind: string) =>
      (LAYOUTS.find((layout) => layout.kind === kind) ?? { fields: [] }).fields.map(
        ({ name: field }) => field,
      );
    for (const { kind, key, madeBy, changedBy, endedBy } of snapshot) {
      expect(fieldsOf(kind)).toEqual(expect.arrayContaining([...key]));
      for (const [event, fields] of Object.entries({ ...madeBy, ...changedBy })) {
        expect(fieldsOf(event), event).toEqual(expect.arrayContaining(Object.values(fields)));
        expect(fieldsOf(kind), kind).toEqual(expect.arrayContaining(Object.keys(fields)));
      }
      for (const event of [...Object.keys({ ...madeBy, ...changedBy }), ...endedBy])
        expect(fieldsOf(event), event).toEqual(expect.arrayContaining([...key]));
    }
  });

  test('words and flags belong to kinds and fields that exist', () => {
    const fields = new Set(layouts.flatMap((layout) => layout.fields.map((field) => field.name)));
    const qualified = new Set(
      layouts.flatMap((layout) => layout.fields.map((field) => `${layout.kind}.${field.name}`)),
    );
    for (const key of Object.keys(path.words)) expect(key.includes('.') ? qualified : fields).toContain(key);
    for (const kind of Object.keys(path.flags)) expect(kinds).toContain(kind);
  });

  test('every reason that the C defines has a word', () => {
    const reasons = [...source.matchAll(/^#define \w+_(?:DROP|WAKE|REASON)_\w+ \d+/gm)].length;
    const words = Object.entries(path.words)
      .filter(([key]) => key.endsWith('.reason'))
      .reduce((sum, [, text]) => sum + Object.keys(text).length, 0);
    expect(words).toBe(reasons);
  });

  test('each purpose is one clause', () => {
    for (const { purpose } of path.probes) {
      expect(purpose).not.toMatch(/^[A-Z][a-z]|\.$/);
      expect(purpose.length).toBeLessThanOrEqual(120);
    }
  });
});
