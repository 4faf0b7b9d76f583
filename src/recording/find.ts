// Which recordings a command's words mean: files as they are, folders looked through, patterns matched, in one fixed order.

import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { RecordingError, UsageError } from '../model/errors.ts';

export interface FindOptions {
  /** What files in folders must end with to be taken; by default both forms of a recording. */
  readonly endings?: readonly string[];
  /** Told of each folder that can't be looked through; the others are. Without it, it is thrown. */
  readonly onUnreadable?: (error: RecordingError, folder: string) => void;
}

/** What `list` does with a folder that can't be looked through. */
type Unreadable = (error: RecordingError, folder: string) => void;

const ENDINGS = ['.parquet', '.raw'];
const MAGIC = /[*?[{]/;
/** Words that the braces of one pattern may stand for. */
const MAX_WORDS = 1000;

/**
 * The files that `places` name, each once: a file as it is, whether it exists or not (opening it says what is wrong); of a
 * folder all recordings in it and below, but hidden ones; of a pattern (`*`, `?`, `[a-z]`, `**`, `{a,b}`) all that match.
 * They come in the order of `places`, and of one place sorted by name. Throws when a folder holds no recording, or a
 * pattern matches none, but for what `onUnreadable` was told of.
 *
 * @example
 * findRecordings(['recordings/', 'archive/host=?/*.parquet']);
 */
export function findRecordings(places: readonly string[], options: FindOptions = {}): string[] {
  const endings = options.endings ?? ENDINGS;
  const found = new Map<string, string>();
  for (const place of places) {
    for (const file of expand(place, endings, options.onUnreadable)) {
      const whole = resolve(file);
      if (!found.has(whole)) found.set(whole, file);
    }
  }
  return [...found.values()];
}

function expand(place: string, endings: readonly string[], onUnreadable?: Unreadable): string[] {
  const kind = kindOf(place);
  let told = false;
  const tell: Unreadable = (error, folder) => {
    if (!onUnreadable) throw error;
    told = true;
    onUnreadable(error, folder);
  };
  if (kind === 'folder') {
    const files = walk(place, endings, tell);
    if (files.length > 0 || told) return files;
    throw new UsageError(
      'NO_RECORDINGS',
      `There is no recording in ${place}: no file there, or in a folder below, ends with ${endings.join(' or ')}.`,
    );
  }
  if (kind !== 'nothing' || !MAGIC.test(place)) return [place];
  const matches = expandBraces(place).flatMap((pattern) => matchPattern(pattern, tell));
  const files = matches.flatMap(({ path, isFolder }) => (isFolder ? walk(path, endings, tell) : [path]));
  if (files.length > 0 || told) return files.sort(byName);
  throw new UsageError('NO_RECORDINGS', `No recording matches ${place}; check the pattern and the folder.`);
}

/** What can't be looked at (a link in a circle, a folder that may not be entered) is a file: opening it says why. */
function kindOf(path: string): 'folder' | 'file' | 'nothing' {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return 'nothing';
    return stats.isDirectory() ? 'folder' : 'file';
  } catch {
    return 'file';
  }
}

interface Entry {
  readonly name: string;
  readonly isFolder: boolean;
  readonly isFile: boolean;
  readonly isLink: boolean;
}

function list(folder: string, onUnreadable: Unreadable): Entry[] {
  try {
    return readdirSync(folder === '' ? '.' : folder, { withFileTypes: true }).map((entry) => ({
      name: entry.name,
      isFolder: entry.isDirectory(),
      isFile: entry.isFile(),
      isLink: entry.isSymbolicLink(),
    }));
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `${folder} can't be looked through: ${why}.`;
    onUnreadable(new RecordingError('UNREADABLE', message, { cause }), folder);
    return [];
  }
}

/** Recordings in a folder and below. Links to folders are not followed, or there might be no end. */
function walk(folder: string, endings: readonly string[], onUnreadable: Unreadable): string[] {
  const files: string[] = [];
  const folders = [folder];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    for (const { name, isFolder, isFile, isLink } of list(next, onUnreadable)) {
      if (name.startsWith('.')) continue;
      const path = join(next, name);
      if (isFolder) folders.push(path);
      else if (endings.some((ending) => name.endsWith(ending)) && (isFile || (isLink && isFileAt(path))))
        files.push(path);
    }
  }
  return files.sort(byName);
}

/** Where a link leads; one that leads nowhere, or in a circle, is no recording. */
function isFileAt(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  } catch (cause) {
    return !(cause instanceof Error && 'code' in cause && cause.code === 'ELOOP');
  }
}

function byName(a: string, b: string): number {
  return Number(a > b) - Number(a < b);
}

/** `a{b,c}` is `ab` and `ac`; a brace without its other half, or without a comma, stands for itself. */
function expandBraces(pattern: string): string[] {
  const done: string[] = [];
  const open = [pattern];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const found = /^(.*)\{([^{}]*,[^{}]*)\}(.*)$/.exec(next);
    if (found === null) done.push(next);
    else for (const word of (found[2] as string).split(',')) open.push(`${found[1]}${word}${found[3]}`);
    if (open.length + done.length > MAX_WORDS)
      throw new UsageError(
        'BAD_PATTERN',
        `The pattern ${pattern} stands for more than ${MAX_WORDS} others; use * in it.`,
      );
  }
  return done;
}

interface Match {
  readonly path: string;
  readonly isFolder: boolean;
}

/** Files and folders that a pattern without braces matches. */
function matchPattern(pattern: string, onUnreadable: Unreadable): Match[] {
  const [first, ...others] = pattern.split('/');
  const words = (first === '' ? others : [first as string, ...others]).filter((word) => word !== '');
  let reached: Match[] = [{ path: first === '' ? '/' : '', isFolder: true }];
  for (const word of words) {
    const folders = reached.filter(({ isFolder }) => isFolder);
    reached = folders.flatMap(({ path }) =>
      word === '**' ? foldersFrom(path, onUnreadable) : matchWord(path, word, onUnreadable),
    );
  }
  return reached;
}

function matchWord(folder: string, word: string, onUnreadable: Unreadable): Match[] {
  if (!MAGIC.test(word)) {
    const path = join(folder, word);
    const kind = kindOf(path);
    return kind === 'nothing' ? [] : [{ path, isFolder: kind === 'folder' }];
  }
  const expression = expressionOf(word);
  return list(folder, onUnreadable).flatMap(({ name, isFolder, isFile, isLink }): Match[] => {
    if (!expression.test(name) || (name.startsWith('.') && !word.startsWith('.'))) return [];
    const path = join(folder, name);
    if (!isLink) return isFolder || isFile ? [{ path, isFolder }] : [];
    const kind = kindOf(path);
    return kind === 'nothing' ? [] : [{ path, isFolder: kind === 'folder' }];
  });
}

/** The folder itself and all below: `**`. */
function foldersFrom(folder: string, onUnreadable: Unreadable): Match[] {
  const found = [folder];
  for (const next of found)
    for (const { name, isFolder } of list(next, onUnreadable))
      if (isFolder && !name.startsWith('.')) found.push(join(next, name));
  return found.map((path) => ({ path, isFolder: true }));
}

/** One word of a pattern: `*` and `?` are any characters, `[…]` one of a set, `[!…]` one not of it. */
function expressionOf(word: string): RegExp {
  const source = word.replaceAll(/\*+|\?|\[([!^]?)([^\]]+)\]|[^*?]/g, (part, not?: string, set?: string) => {
    if (part.startsWith('*')) return '.*';
    if (part === '?') return '.';
    if (set !== undefined) return `[${not ? '^' : ''}${set.replaceAll(/[\\^[\]]/g, '\\$&')}]`;
    return part.replaceAll(/[\\^$.|+()[\]{}]/g, '\\$&');
  });
  try {
    return new RegExp(`^${source}$`, 'su');
  } catch (cause) {
    throw new UsageError('BAD_PATTERN', `The pattern ${word} can't be understood: see its brackets.`, {
      cause,
    });
  }
}
