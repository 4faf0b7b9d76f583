// Saves a frozen bank raw and turns it into Parquet, as the recorder's exporter does, and says how long each took.

import { closeSync, fsyncSync, openSync, rmSync, statSync } from 'node:fs';
import { release } from 'node:os';
import { performance } from 'node:perf_hooks';
import { parentPort, workerData } from 'node:worker_threads';
import { LAYOUTS, SHARES } from '../src/generated/layouts.ts';
import type { ObjectEntry } from '../src/model/objects.ts';
import type { RecordingMeta } from '../src/model/recording.ts';
import { writeParquet } from '../src/recording/parquet-write.ts';
import { beginRaw, RAW_HEADER_BYTES } from '../src/recording/raw.ts';
import { saveBank } from '../src/source/shim.ts';
import { HealthyObjects } from './healthy.ts';

interface Order {
  readonly handle: number;
  readonly bank: number;
  readonly cpus: number;
  readonly fromNs: number;
  readonly path: string;
}

const { handle, bank, cpus, fromNs, path } = workerData as Order;

function describe(): RecordingMeta {
  const table = new HealthyObjects(cpus);
  const objects = Array.from({ length: table.length }, (_, index) => table.get(index) as ObjectEntry);
  return {
    format: 1,
    flightring: '0.0.0',
    createdAt: new Date().toISOString(),
    kernel: { release: release(), machine: process.arch, cpus },
    clocks: {
      monotonicNs: process.hrtime.bigint().toString(),
      realtimeNs: (BigInt(Date.now()) * 1_000_000n).toString(),
      errorNs: 500,
    },
    layouts: LAYOUTS,
    objects,
    threads: [],
    coverage: [],
    freeze: null,
    invariants: [],
    violations: [],
    counts: {},
    loss: { overwritten: 0, recursionMisses: 0, objectsDropped: 0, windowlessViolations: 0 },
    notes: [],
  };
}

const starts = new BigUint64Array(cpus * SHARES.length);
const figures = new BigUint64Array(cpus * SHARES.length * 4);

/** Only the bytes: what must be safe before anything else is tried. */
const plain = performance.now();
const fd = openSync(`${path}.plain`, 'w+');
saveBank(handle, bank, starts, fd, 0, BigInt(fromNs), figures);
fsyncSync(fd);
closeSync(fd);
const plainMs = performance.now() - plain;
rmSync(`${path}.plain`);

const begin = performance.now();
const writer = beginRaw(`${path}.raw`);
const slots = saveBank(handle, bank, starts, writer.fd, RAW_HEADER_BYTES, BigInt(fromNs), figures);
if (slots < 0) throw new Error(`saving failed: ${slots}`);
writer.finish(slots, describe());
const rawMs = performance.now() - begin;

const parquet = performance.now();
const { rows } = writeParquet(`${path}.raw`, `${path}.parquet`);
const parquetMs = performance.now() - parquet;
const bytes = statSync(`${path}.parquet`).size;
rmSync(`${path}.raw`);
rmSync(`${path}.parquet`);
parentPort?.postMessage({ plainMs, rawMs, parquetMs, rows, bytes });
