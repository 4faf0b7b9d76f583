// Recordings for the tests of the report: the story, and what may be wrong with one.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RecordingMeta } from '../../../src/model/recording.ts';
import { buildPage } from '../../../src/page/build.ts';
import type { PageData } from '../../../src/page/model.ts';
import { openRecording } from '../../../src/recording/open.ts';
import { writeParquet } from '../../../src/recording/parquet-write.ts';
import { buildBatch, type EventSpec } from '../batch.ts';
import { META, story, VIOLATION } from '../report/story.ts';

export const HOSTILE =
  '</script><script>window.pwned=1</script><!--<img src=x onerror=window.pwned=1>\u2028\u202e"\'&';
/** What fits into 16 bytes. */
export const HOSTILE_NAME = '<img onerror=x>';

export function pageFolder() {
  const path = mkdtempSync(join(tmpdir(), 'flightring-page-'));
  const write = (name: string, changes: Partial<RecordingMeta>, events?: readonly EventSpec[]) => {
    const file = join(path, `${name}.parquet`);
    writeParquet({ meta: { ...META, ...changes }, batches: [events ? buildBatch(events) : story()] }, file);
    return file;
  };
  return {
    path,
    write,
    story: () => write('story', {}),
    hostile: () =>
      write('hostile', {
        threads: [
          { tid: 4711, ts: 0, comm: HOSTILE_NAME },
          { tid: 21, ts: 0, comm: '\u001b[31mred\n' },
        ],
        objects: META.objects.map((entry) => (entry.name === '' ? entry : { ...entry, name: HOSTILE_NAME })),
        kernel: { ...META.kernel, release: HOSTILE },
        notes: [HOSTILE],
        violations: [
          { ...VIOLATION, sentence: HOSTILE },
          { ...VIOLATION, object: HOSTILE, invariant: HOSTILE },
        ],
      }),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

export async function pageOf(file: string): Promise<PageData> {
  return buildPage(await openRecording(file));
}
