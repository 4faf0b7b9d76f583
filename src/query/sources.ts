// Opens recordings one by one: which can be asked, and in one sentence why the others can't.

import { closeSync, openSync, readSync } from 'node:fs';
import { FlightringError, RecordingError } from '../model/errors.ts';
import type { RecordingMeta } from '../model/recording.ts';
import type { Newer } from '../recording/meta.ts';
import { openRecording } from '../recording/open.ts';
import type { ParquetRecording, readParquet } from '../recording/parquet-read.ts';
import { statOf } from './files.ts';
import { partitionsOf } from './partitions.ts';

/** A recording that can be asked. */
export interface Source {
  /** As the arguments name it. */
  readonly file: string;
  /** Rows, those of gaps and of the snapshot included. */
  readonly rows: number;
  readonly partitions: ReadonlyMap<string, string>;
  /** The names of its columns, and the field of its kinds that each holds. */
  readonly columns: readonly SourceColumn[];
  /** CLOCK_REALTIME minus CLOCK_MONOTONIC, ns; null if the recording's clocks make no sense. */
  readonly clockOffset: bigint | null;
  /** Not null for a recording of a newer version: which, and what of it isn't known here. */
  readonly newer: Newer | null;
}

export interface SourceColumn {
  readonly name: string;
  readonly field: string;
  /** In DuckDB's words. */
  readonly type: string;
}

/** A file that can't be asked. */
export interface LeftOut {
  readonly file: string;
  /** The code of the error that it was refused with, for example `BAD_CHECKSUMS`. */
  readonly code: string;
  readonly message: string;
}

interface Reading {
  readonly readParquet: typeof readParquet;
  readonly columnsOf: (layouts: RecordingMeta['layouts']) => readonly SourceColumn[];
}

/**
 * Every byte of the file is held against its checksums first: DuckDB knows nothing of them. A damaged recording is left
 * out as a whole, since DuckDB has no way to stop in front of the damage.
 */
export async function openSource(
  file: string,
  reading: Reading,
): Promise<{ readonly source: Source; readonly meta: RecordingMeta } | LeftOut> {
  try {
    const { meta, rows, damage, newer } = await readSource(file, reading);
    if (damage)
      return {
        file,
        code: 'DAMAGED',
        message: `${file}: ${damage.message}; "flightring show" reads the ${damage.rowsReadable} records in front of it.`,
      };
    const source: Source = {
      file,
      rows,
      partitions: partitionsOf(file),
      columns: reading.columnsOf(meta.layouts),
      clockOffset: clockOffset(meta),
      newer,
    };
    return { source, meta };
  } catch (error) {
    if (error instanceof FlightringError) return { file, code: error.code, message: error.message };
    const why = error instanceof Error ? error.message : String(error);
    return { file, code: 'UNREADABLE', message: `${file} can't be read: ${why}.` };
  }
}

async function readSource(file: string, { readParquet }: Reading): Promise<ParquetRecording> {
  // Opening a pipe would wait for ever.
  if (!statOf(file)?.isFile()) return await refuse(file);
  try {
    return readParquet(file);
  } catch (error) {
    if (!startsLikeParquet(file)) return await refuse(file);
    throw error;
  }
}

function startsLikeParquet(file: string): boolean {
  const fd = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(4);
    return readSync(fd, bytes, 0, 4, 0) === 4 && bytes.toString('latin1') === 'PAR1';
  } finally {
    closeSync(fd);
  }
}

/** Says why it is none that DuckDB could read. */
async function refuse(file: string): Promise<never> {
  const { form } = await openRecording(file);
  throw new RecordingError(
    'RAW',
    `${file} is a ${form} recording, whose events no query can reach; "flightring show" and "check" read it.`,
  );
}

/** Beyond this a time of the recording could not be told in 64 bits. */
const MOST_OFFSET = 1n << 61n;

function clockOffset({ clocks }: RecordingMeta): bigint | null {
  const offset = BigInt(clocks.realtimeNs) - BigInt(clocks.monotonicNs);
  return offset > -MOST_OFFSET && offset < MOST_OFFSET ? offset : null;
}
