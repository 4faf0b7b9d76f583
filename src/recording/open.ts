// Opens a recording of either form, and gives its records in this version's layouts.

import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { LAYOUTS } from '../generated/layouts.ts';
import { RecordingError } from '../model/errors.ts';
import type { RecordLayout } from '../model/layout.ts';
import type { RecordingMeta } from '../model/recording.ts';
import type { Batch } from '../model/slot.ts';
import { readError } from './files.ts';
import type { Damage } from './integrity.ts';
import type { Newer } from './meta.ts';
import { RAW_MAGIC, readRaw } from './raw.ts';
import { createTranslator } from './translate.ts';

/** What a recording is, without what it can do: fit to be sent to another thread. */
export interface RecordingFacts {
  readonly path: string;
  readonly form: 'parquet' | 'raw';
  /** What the recording says of itself; `layouts` are those it was made with. */
  readonly meta: RecordingMeta;
  /** Not null for a recording of a newer version: which, and what of it can't be read here. */
  readonly newer: Newer | null;
  /** Records in the file; with damage, `damage.rowsReadable` of them can be read. */
  readonly rows: number;
  /** Null if every byte is as it was written. Records in front of the damage can be read. */
  readonly damage: Damage | null;
  /**
   * Records of kinds that this version doesn't know, left out so far by `batches`; in a raw file also slots that are
   * no part of a whole record, as `no record`.
   */
  readonly unknownKinds: ReadonlyMap<string, number>;
}

export interface Recording extends RecordingFacts {
  /**
   * The records in total order, in the layouts asked for, at most 65 536 slots at a time, none split over two batches.
   * Ends at the damage; can be called again.
   */
  batches(choice?: BatchChoice): Iterable<Batch>;
}

export interface BatchChoice {
  /** Only records of these kinds, and gaps; the slots of others are counted in a batch's `skipped`. A raw file gives all. */
  readonly kinds?: Iterable<string>;
  /** A batch's memory may be used again for the next: whoever keeps nothing of it is served faster. */
  readonly reuse?: boolean;
}

export interface OpenOptions {
  /** The layouts that records are wanted in; those of this version if not given. */
  readonly layouts?: readonly RecordLayout[];
}

/** Opens a recording. Throws a RecordingError for anything that is not one or can't be trusted. */
export async function openRecording(path: string, options: OpenOptions = {}): Promise<Recording> {
  const form = recognise(path);
  const layouts = options.layouts ?? LAYOUTS;
  const unknownKinds = new Map<string, number>();
  // The Parquet parser is loaded only for a Parquet file.
  const opened =
    form === 'raw' ? rawIn(path, layouts) : (await import('./parquet-read.ts')).readParquet(path);
  const { meta, newer, rows, damage } = opened;
  return {
    path,
    form,
    meta,
    newer,
    rows,
    damage,
    unknownKinds,
    batches({ kinds, reuse = false } = {}) {
      unknownKinds.clear();
      const wanted = kinds === undefined ? {} : { kinds: new Set(kinds).add(GAP) };
      return opened.batches({ layouts, reuse, ...wanted }, unknownKinds);
    },
  };
}

/** The kind of records that say what is missing. */
const GAP = 'gap';

/** Slots made from columns are whole records; those of a raw file are what was in the file. */
function rawIn(path: string, layouts: readonly RecordLayout[]) {
  const { meta, newer, rows, damage, batches } = readRaw(path);
  const translator = createTranslator(meta.layouts, layouts);
  return {
    meta,
    newer,
    rows,
    damage,
    batches: (_options: unknown, unknown: Map<string, number>) => translator.translate(batches(), unknown),
  };
}

function recognise(path: string): Recording['form'] {
  const magic = readStart(path);
  if (magic === RAW_MAGIC) return 'raw';
  if (magic.startsWith('PAR1')) return 'parquet';
  const what =
    magic === ''
      ? 'is empty (0 bytes)'
      : 'begins neither like a Parquet file nor like a raw recording (damage at byte 0)';
  throw new RecordingError('NOT_A_RECORDING', `${path} is not a recording: it ${what}.`);
}

/** The first eight bytes. Only a regular file is opened: reading a pipe could wait for ever. */
function readStart(path: string): string {
  try {
    if (!statSync(path).isFile()) {
      throw new RecordingError('NOT_A_RECORDING', `${path} is not a file; give the path of a recording.`);
    }
    const fd = openSync(path, 'r');
    try {
      if (!fstatSync(fd).isFile()) throw new RecordingError('NOT_A_RECORDING', `${path} is not a file.`);
      const bytes = Buffer.alloc(8);
      return bytes.toString('latin1', 0, readSync(fd, bytes, 0, 8, 0));
    } finally {
      closeSync(fd);
    }
  } catch (cause) {
    if (cause instanceof RecordingError) throw cause;
    throw readError(cause, path);
  }
}
