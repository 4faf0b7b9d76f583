// The example of docs/importing.md does what the text says.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EventView } from '../../../src/decode/event-view.ts';
import { importTrace } from '../../../src/import/import.ts';
import { parseMapping } from '../../../src/import/mapping.ts';
import { SLOT_LANES } from '../../../src/model/slot.ts';
import { openRecording } from '../../../src/recording/open.ts';

const text = readFileSync(join(import.meta.dirname, '../../../docs/importing.md'), 'utf8');

/** The code block of this language that begins with these characters. */
function block(language: string, start: string): string {
  const found = [...text.matchAll(/```(\w*)\n(.*?)```/gs)].find(
    ([, name, code]) => name === language && code?.startsWith(start),
  );
  return found?.[2] ?? '';
}

test('the example', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'flightring-import-'));
  const path = join(folder, 'out.parquet');
  const chunks = async function* () {
    yield Buffer.from(block('', '# tracer'));
  };
  const mapping = parseMapping(block('toml', 'description'), 'example.toml');
  try {
    const result = await importTrace(chunks(), path, { mapping });
    expect(result).toMatchObject({
      complete: true,
      counts: { events: 1, markers: 1, ignored: 1, headers: 1 },
    });
    const view = new EventView();
    const seen: string[][] = [];
    for (const { lanes, slots } of (await openRecording(path)).batches())
      for (let at = 0; at < slots * SLOT_LANES; at += view.slots * SLOT_LANES) {
        view.move(lanes, at);
        const names = ['ifindex', 'ip', 'new_mac', 'nud', 'new_nud', 'text', 'value'];
        seen.push([view.kind, ...names.map((name) => view.text(name)).filter((value) => value !== '')]);
      }
    expect(seen).toEqual([
      ['mark_set', 'replace 10.0.0.2', '1201'],
      ['neigh_update', '2', '10.0.0.2', '02:42:0a:00:00:02', '0', '128'],
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
