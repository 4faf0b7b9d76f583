// flightring shrink --fixture: the test case that it writes is one, and passes.

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { INVARIANTS } from '../../../src/generated/invariants.ts';
import { checkRecording } from '../../../src/pipeline.ts';
import { fixtureText } from '../../../src/shrink/fixture.ts';
import { shrinkRecording } from '../../../src/shrink/shrink.ts';
import type { EventSpec } from '../batch.ts';
import { storyObjects, writeStory, mixedPaths, XSK_STORIES } from './stories.ts';

/** At least one of each path. */
const NAMES = [
  'xsk.publish-race',
  'xsk.bind-identity',
  'xsk.double-enqueue',
  'fdb.flap',
  'link.never-advertised',
  'neigh.conflict',
  'netns.not-restored',
  'sockiter.skipped',
  'vxlan.vni-leak',
  'xfrm.cleartext',
];

/** Where pasted tests are, so that their imports lead where they should. */
const HOME = join(import.meta.dirname, '..', 'invariants');

it('passes, whatever the names in it, and is formatted', async () => {
  const folder = mkdtempSync(join(HOME, '..', 'pasted-'));
  const recording = join(folder, 'hostile.parquet');
  try {
    let written = 0;
    for (const name of NAMES) {
      const story = XSK_STORIES[name]?.().events ?? (name.startsWith('xsk.') ? null : mixedPaths());
      if (story) writeStory(recording, hostile(story), name.startsWith('xsk.') ? hostileObjects() : []);
      const invariants = INVARIANTS.filter((invariant) => invariant.name === name);
      const source = story ? recording : 'recordings/bind-collision.parquet';
      const { summary } = await checkRecording(source, { invariants });
      expect(summary.violations.length, name).toBeGreaterThan(0);
      writeFileSync(
        join(folder, `${name}.test.ts`),
        fixtureText(await shrinkRecording(source, { invariants })),
      );
      written++;
    }
    const run = promisify(execFile);
    const vitest = ['run', '--project', 'unit', folder, '--reporter', 'json'];
    const { stdout } = await run('node_modules/.bin/vitest', vitest, { maxBuffer: 1 << 24 });
    const report = JSON.parse(stdout.slice(stdout.indexOf('{'))) as {
      numPassedTests: number;
      numTotalTests: number;
    };
    expect(report).toMatchObject({ numPassedTests: written, numTotalTests: written });
    await run('node_modules/.bin/biome', ['format', folder]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Names that would break out of quotes, comments and lines. */
const NASTY = 'a\'b"`\\\n\x1b[1m';

function hostile(events: readonly EventSpec[]): EventSpec[] {
  return events.map((event) => ({
    ...event,
    ...('name' in event ? { name: NASTY } : {}),
    ...('device' in event ? { device: NASTY } : {}),
  }));
}

function hostileObjects() {
  return storyObjects().map((entry) => ({ ...entry, ...(entry.name === '' ? {} : { name: NASTY }) }));
}
