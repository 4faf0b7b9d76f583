// Files that appear whole or not at all: written under another name, synced, then renamed.

import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { RecordingError, UsageError } from '../model/errors.ts';

export interface PartFile {
  readonly fd: number;
  /** Syncs the file and gives it its name; the file is closed. */
  commit(): void;
  /** Closes and removes the unfinished file. Does nothing after `commit`. */
  discard(): void;
}

/** Opens `path`.part for writing, readable by its owner only; an older one left by a killed process is replaced. */
export function createPart(path: string): PartFile {
  refuseDevice(path);
  const part = `${path}.part`;
  let fd = -1;
  try {
    rmSync(part, { force: true });
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    fd = openSync(part, flags, 0o600);
    fchmodSync(fd, 0o600);
  } catch (error) {
    if (fd >= 0) closeSync(fd);
    throw writeError(error, path, null);
  }
  let open = true;
  /** Another process that writes the same file has put its own in the place of ours. */
  const isReplaced = (): boolean => {
    const there = statSync(part, { throwIfNoEntry: false });
    const ours = fstatSync(fd);
    return there?.ino !== ours.ino || there.dev !== ours.dev;
  };
  return {
    fd,
    commit() {
      fsyncSync(fd);
      const replaced = isReplaced();
      closeSync(fd);
      open = false;
      if (replaced)
        throw new RecordingError(
          'WRITE_FAILED',
          `${path} could not be written: another process writes it at the same time. Nothing of this one was kept.`,
        );
      try {
        renameSync(part, path);
      } catch (error) {
        rmSync(part, { force: true });
        throw error;
      }
      syncFolder(dirname(path));
    },
    discard() {
      if (!open) return;
      open = false;
      const replaced = isReplaced();
      closeSync(fd);
      if (!replaced) rmSync(part, { force: true });
    },
  };
}

/** Opens a file that was there a moment ago, and may be gone by now. */
export function openToRead(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY);
  } catch (cause) {
    throw readError(cause, path);
  }
}

/** Why a recording can't be read, in words. */
export function readError(cause: unknown, path: string): RecordingError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : '';
  if (code === 'ENOENT') return new RecordingError('NOT_FOUND', `There is no recording ${path}.`, { cause });
  const why = cause instanceof Error ? cause.message : String(cause);
  return new RecordingError('UNREADABLE', `${path} can't be read: ${why}.`, { cause });
}

/** A file renamed to /dev/null or /dev/stdout would be there in its place, for all programs. */
export function refuseDevice(path: string): void {
  let isFile: boolean;
  try {
    isFile = statSync(path).isFile();
  } catch {
    // Nothing is there, or opening it will say why not.
    return;
  }
  if (!isFile) throw new UsageError('NOT_A_FILE', `${path} is not a file; give the name of one.`);
}

/** Before long work: whether a file can be made there at all. Throws what `createPart` would. */
export function expectPlace(path: string): void {
  refuseDevice(path);
  try {
    accessSync(dirname(path), constants.W_OK | constants.X_OK);
  } catch (error) {
    throw writeError(error, path, null);
  }
}

/** A rename is durable only once its folder is; a file system that can't sync folders has nothing to sync. */
function syncFolder(path: string): void {
  const fd = openSync(path, constants.O_RDONLY);
  try {
    fsyncSync(fd);
  } catch (error) {
    if (!isErrno(error) || (error.code !== 'EINVAL' && error.code !== 'ENOTSUP')) throw error;
  } finally {
    closeSync(fd);
  }
}

/** Writes all of `bytes`, at `position` or at the current one. */
export function writeAll(fd: number, bytes: Uint8Array, position: number | null = null): void {
  let done = 0;
  while (done < bytes.length) {
    done += writeSync(fd, bytes, done, bytes.length - done, position === null ? null : position + done);
  }
}

function isErrno(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && 'syscall' in error;
}

const NO_ROOM = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** The error of a failed write in words; `kept` names a file that still holds the events. */
export function writeError(error: unknown, path: string, kept: string | null): unknown {
  if (!isErrno(error)) return error;
  const events = kept === null ? 'Nothing of it was kept.' : `The events are safe in ${kept}.`;
  if (NO_ROOM.has(error.code ?? '')) {
    const room = error.code === 'ENOSPC' ? 'the disk is full' : `the disk has no room (${error.code})`;
    return new RecordingError('DISK_FULL', `${path} could not be written: ${room}. ${events}`, {
      cause: error,
    });
  }
  return new RecordingError('WRITE_FAILED', `${path} could not be written: ${error.message}. ${events}`, {
    cause: error,
  });
}
