// The folder that recordings go to: checked before recording starts, so that nothing is lost for want of it.

import { accessSync, constants, mkdtempSync, rmdirSync, statSync, statfsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UsageError } from '../model/errors.ts';

/** Throws one sentence if the folder is missing, no folder, unwritable, or has not `bytes` free. */
export function checkOutput(folder: string, bytes: number): string {
  const path = resolve(folder);
  let isFolder: boolean;
  try {
    isFolder = statSync(path).isDirectory();
  } catch (cause) {
    throw new UsageError(
      'NO_OUT',
      `the output folder ${path} does not exist: make it with "mkdir -p ${path}"`,
      { cause },
    );
  }
  if (!isFolder) throw new UsageError('NO_OUT', `${path} is not a folder: name one with --out`);
  try {
    accessSync(path, constants.W_OK);
    rmdirSync(mkdtempSync(join(path, '.flightring-')));
  } catch (cause) {
    const full = (cause as NodeJS.ErrnoException).code === 'ENOSPC';
    throw new UsageError(
      full ? 'OUT_FULL' : 'OUT_READONLY',
      full
        ? `the disk of ${path} is full`
        : `the output folder ${path} can't be written: name another with --out`,
      { cause },
    );
  }
  const { bavail, bsize } = statfsSync(path);
  if (bavail * bsize < bytes)
    throw new UsageError(
      'OUT_FULL',
      `the disk of ${path} has ${mib(bavail * bsize)} free, one recording may need ${mib(bytes)}: free some, or ask for less with --last`,
    );
  return path;
}

function mib(bytes: number): string {
  return `${Math.ceil(bytes / (1 << 20))} MiB`;
}

/** `flightring-20261121T045900.123Z-1-xsk.double-enqueue`: sorts by time, says why. */
export function recordingName(date: Date, number: number, why: string): string {
  const stamp = date.toISOString().replace(/[-:]/g, '');
  return `flightring-${stamp}-${number}-${why.replace(/[^A-Za-z0-9.-]/g, '_')}`;
}
