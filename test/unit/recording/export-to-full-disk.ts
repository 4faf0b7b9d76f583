// Exports a raw recording, RAW, into a folder that has no room for it, SMALL, and prints the error and what is left there.

import { readdirSync, writeSync } from 'node:fs';
import { FlightringError } from '../../../src/model/errors.ts';
import { writeParquet } from '../../../src/recording/parquet-write.ts';
import { beginRaw, RAW_HEADER_BYTES } from '../../../src/recording/raw.ts';
import { batchOf, META, sampleEvents } from './sample.ts';

const { RAW: rawPath = '', SMALL: small = '' } = process.env;
const { lanes, slots } = batchOf(Array.from({ length: 2000 }, sampleEvents).flat());
const raw = beginRaw(rawPath);
writeSync(raw.fd, new Uint8Array(lanes.buffer), 0, lanes.byteLength, RAW_HEADER_BYTES);
raw.finish(slots, META);
try {
  writeParquet(rawPath, `${small}/a.parquet`);
} catch (error) {
  if (!(error instanceof FlightringError)) throw error;
  console.log(JSON.stringify({ code: error.code, message: error.message, left: readdirSync(small) }));
}
