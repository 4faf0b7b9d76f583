// The exporter's thread: saves a frozen bank raw, checks it again, and turns it into Parquet.

import { existsSync, rmSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { Checker } from '../check/checker.ts';
import { SHARE_OF_KIND } from '../decode/shares.ts';
import { SHARES } from '../generated/layouts.ts';
import { FlightringError } from '../model/errors.ts';
import type { ObjectTable } from '../model/objects.ts';
import type { CpuWindow, RecordingMeta } from '../model/recording.ts';
import { type Batch, HEAD, SLOT_LANES, timeAt } from '../model/slot.ts';
import type { Violation } from '../model/violation.ts';
import { parseMeta } from '../recording/meta.ts';
import { writeParquet } from '../recording/parquet-write.ts';
import { beginRaw, RAW_HEADER_BYTES, readRaw } from '../recording/raw.ts';
import { describeErrno } from '../source/errno.ts';
import { saveBank } from '../source/shim.ts';
import { describeSnapshot, snapshotRows } from './snapshot/in-window.ts';
import { withRows } from './snapshot/rows.ts';
import { lastRecords } from './window.ts';
import { chooseInvariants } from './choose-invariants.ts';
import type { ExportOrder, FromExporter } from './messages.ts';

const port = parentPort;
if (!port) throw new Error('the exporter runs as a worker thread');
const say = (message: FromExporter) => port.postMessage(message);

/** What the saved bank holds, per CPU and path. */
function windowsOf(order: ExportOrder, figures: BigUint64Array): CpuWindow[] {
  return Array.from({ length: order.cpus * SHARES.length }, (_, lane) => {
    const [first, last, events, overwritten] = [0, 1, 2, 3].map((i) => Number(figures[lane * 4 + i]));
    return {
      ...placeOfLane(lane),
      firstTs: first || null,
      lastTs: last || null,
      events: events ?? 0,
      overwritten: overwritten ?? 0,
    };
  });
}

/** Lanes are numbered by CPU, then share. */
function placeOfLane(lane: number): { cpu: number; path: string } {
  return { cpu: Math.floor(lane / SHARES.length), path: SHARES[lane % SHARES.length] as string };
}

/** What replaying exactly these events finds, and how many of them came after `offendingTs`. */
function replay(batches: Iterable<Batch>, checker: Checker, offendingTs: number | null, cpus: number) {
  const after = new Array<number>(cpus * SHARES.length).fill(0);
  const window: CpuWindow[] = after.map((_, lane) => ({
    ...placeOfLane(lane),
    firstTs: null,
    lastTs: null,
    events: 0,
    overwritten: 0,
  }));
  for (const batch of batches) {
    for (let at = 0; at < batch.slots * SLOT_LANES; at += SLOT_LANES) {
      if ((batch.lanes[at + HEAD.seqHigh] as number) >>> 31) continue;
      const share = SHARE_OF_KIND[(batch.lanes[at + HEAD.kindFlags] as number) & 0xffff] ?? -1;
      if (share < 0) continue;
      const lane = (batch.lanes[at + HEAD.cpu] as number) * SHARES.length + share;
      const ts = timeAt(batch.lanes, at);
      const seen = window[lane];
      if (!seen) continue;
      window[lane] = { ...seen, firstTs: seen.firstTs ?? ts, lastTs: ts, events: seen.events + 1 };
      if (offendingTs !== null && ts > offendingTs) after[lane] = (after[lane] ?? 0) + 1;
    }
    checker.check(batch);
  }
  return { after, window };
}

/** A path that recorded nothing on a CPU is not worth a line. */
const isTold = ({ events, overwritten }: CpuWindow) => events > 0 || overwritten > 0;

const keyOf = (v: Violation) => `${v.invariant} ${v.at.cpu} ${v.at.seq} ${v.object}`;

async function exportBank(order: ExportOrder): Promise<void> {
  const started = performance.now();
  const raw = `${order.path}.raw`;
  const figures = new BigUint64Array(order.cpus * SHARES.length * 4);
  let meta = parseMeta(order.meta);
  const writer = beginRaw(raw);
  const slots = saveBank(
    order.handle,
    order.bank,
    order.starts,
    writer.fd,
    RAW_HEADER_BYTES,
    BigInt(order.fromNs),
    figures,
  );
  if (slots < 0) {
    writer.discard();
    say({
      type: 'failed',
      path: order.path,
      bank: order.bank,
      code: slots === -28 ? 'DISK_FULL' : 'SAVE_FAILED',
      message: `the frozen events could not be saved to ${raw}: ${describeErrno(slots)}`,
      raw: null,
    });
    return;
  }
  const saved = windowsOf(order, figures);
  if (meta.freeze) meta = { ...meta, freeze: { ...meta.freeze, window: saved.filter(isTold) } };
  writer.finish(slots, meta);
  say({ type: 'saved', path: order.path, bank: order.bank, raw, ms: performance.now() - started });

  const source = readRaw(raw);
  const { lastEvents } = order;
  const offendingTs = meta.freeze?.offendingTs ?? Number.POSITIVE_INFINITY;
  const endTs = offendingTs + (meta.freeze?.requested.afterNs ?? 0);
  const events = () =>
    lastEvents === null ? source.batches() : lastRecords(() => source.batches(), lastEvents, endTs);
  const invariants = await chooseInvariants(order.invariants, order.modules);
  const endOfWindow = meta.freeze?.flippedTs ?? Number.POSITIVE_INFINITY;
  const rows = order.snapshot ? snapshotRows(order.snapshot, events, invariants, endOfWindow) : [];
  const batches = () => withRows(events(), rows);
  if (order.snapshot) meta = describeSnapshot(meta, rows, order.snapshot.notes);
  const objects: ObjectTable = objectsOf(meta);
  const checker = new Checker(invariants, objects, meta.clocks.errorNs);
  const { after, window } = replay(batches(), checker, meta.freeze?.offendingTs ?? null, order.cpus);
  meta = complete(meta, checker, window, saved, after);
  const parquet = `${order.path}.parquet`;
  const result = writeParquet({ meta, batches: batches() }, parquet);
  rmSync(raw, { force: true });
  say({
    type: 'exported',
    path: order.path,
    parquet,
    rows: result.rows,
    bytes: result.bytes,
    ms: performance.now() - started,
    window: meta.freeze?.window ?? [],
  });
}

function objectsOf(meta: RecordingMeta): ObjectTable {
  const entries = new Map(meta.objects.map((entry) => [entry.index, entry]));
  return { length: meta.objects.length, get: (index) => entries.get(index) };
}

/** The window as it is, and the live verdict compared with what these events alone show. */
function complete(
  meta: RecordingMeta,
  checker: Checker,
  window: readonly CpuWindow[],
  saved: readonly CpuWindow[],
  after: readonly number[],
): RecordingMeta {
  const first = Math.min(...window.map((w) => w.firstTs ?? Number.POSITIVE_INFINITY));
  const last = Math.max(...window.map((w) => w.lastTs ?? 0));
  const inside = meta.violations.filter((v) => v.at.ts >= first && v.at.ts <= last);
  const replayed = new Set(checker.violations.map(keyOf));
  const live = new Set(inside.map(keyOf));
  const outOfWindow = inside.filter((v) => !replayed.has(keyOf(v)));
  const unforeseen = checker.violations.filter((v) => !live.has(keyOf(v)));
  const merged = window.map((w, lane) => ({ ...w, overwritten: saved[lane]?.overwritten ?? 0 }));
  const notes = [...meta.notes];
  if (unforeseen.length > 0)
    notes.push(
      `${unforeseen.length} violations were found on replaying these events that were not reported live`,
    );
  return {
    ...meta,
    violations: inside,
    outOfWindow,
    notes,
    freeze: meta.freeze && {
      ...meta.freeze,
      window: merged.filter(isTold),
      overwrittenMeanwhile: merged.reduce(
        (sum, w, lane) => sum + (w.overwritten > 0 ? (after[lane] ?? 0) : 0),
        0,
      ),
    },
  };
}

port.on('message', (order: ExportOrder) => {
  exportBank(order).catch((error: unknown) => {
    say({
      type: 'failed',
      path: order.path,
      bank: order.bank,
      code: error instanceof FlightringError ? error.code : 'EXPORT_FAILED',
      message: error instanceof Error ? error.message : String(error),
      raw: existsSync(`${order.path}.raw`) ? `${order.path}.raw` : null,
    });
  });
});
say({ type: 'ready' });
