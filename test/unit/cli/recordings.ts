// Recordings for the tests of `check`: a healthy one, a faulty one with its live verdict, and both as files.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { Checker } from '../../../src/check/checker.ts';
import { INVARIANTS } from '../../../src/generated/invariants.ts';
import type { RecordingMeta } from '../../../src/model/recording.ts';
import type { Batch } from '../../../src/model/slot.ts';
import { beginRaw, RAW_HEADER_BYTES } from '../../../src/recording/raw.ts';
import { writeParquet } from '../../../src/recording/parquet-write.ts';
import { createObjectTable } from '../../../src/report/objects.ts';
import { writeAll } from '../../../src/recording/files.ts';
import { buildBatch, type EventSpec } from '../batch.ts';
import { META, OBJECTS } from '../report/story.ts';

const OWNERSHIP = INVARIANTS.filter(({ name }) => name === 'xsk.ownership');

/** A frame goes round once: FILL, RX, TX, COMP, and FILL again. */
export const HEALTHY: readonly EventSpec[] = [
  { kind: 'xsk_fill_submit', ts: 10_000, object: 1, position: 0, addr: 0x1000, since: 9000 },
  { kind: 'xsk_rx_write', ts: 20_000, cpu: 1, object: 2, position: 0, addr: 0x1100, len: 64 },
  { kind: 'xsk_tx_submit', ts: 30_000, object: 4, position: 0, addr: 0x1100, len: 64, since: 29_000 },
  { kind: 'xsk_comp_submit', ts: 40_000, cpu: 1, object: 3, position: 0, addr: 0x1000 },
  { kind: 'xsk_fill_submit', ts: 50_000, object: 1, position: 1, addr: 0x1000, since: 49_000 },
];

/** Then it is sent while it lies in FILL. */
export const FAULTY: readonly EventSpec[] = [
  ...HEALTHY,
  { kind: 'xsk_tx_submit', ts: 60_000, object: 4, position: 1, addr: 0x1000, len: 42, since: 59_000 },
];

export const LOSSY: readonly EventSpec[] = [
  ...HEALTHY,
  { kind: 'gap', ts: 70_000, cpu: 1, lost: 9, reason: 1 },
];

/** With the live verdict that a recorder would have written. */
export function metaOf(events: readonly EventSpec[], changes: Partial<RecordingMeta> = {}): RecordingMeta {
  const live = new Checker(OWNERSHIP, createObjectTable(OBJECTS));
  live.check(buildBatch(events));
  return { ...META, freeze: null, violations: live.violations, counts: live.counts(), ...changes };
}

/** A folder of recordings that `using` removes. */
export function recordingFolder() {
  const path = mkdtempSync(join(tmpdir(), 'flightring-check-'));
  return {
    path,
    parquet(name: string, events: readonly EventSpec[], changes: Partial<RecordingMeta> = {}): string {
      const file = join(path, `${name}.parquet`);
      writeParquet({ meta: metaOf(events, changes), batches: [buildBatch(events)] }, file);
      return file;
    },
    raw(name: string, events: readonly EventSpec[], changes: Partial<RecordingMeta> = {}): string {
      const file = join(path, `${name}.raw`);
      const batch: Batch = buildBatch(events);
      const writer = beginRaw(file);
      writeAll(writer.fd, Buffer.from(batch.lanes.buffer), RAW_HEADER_BYTES);
      writer.finish(batch.slots, metaOf(events, changes));
      return file;
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** A stream that keeps what it is given. */
export class Paper extends Writable {
  text = '';
  isTTY = false;
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}
