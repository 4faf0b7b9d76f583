// Loads invariants from a user's own module, in TypeScript or JavaScript, and says plainly what is wrong with it.

import { existsSync, statSync } from 'node:fs';
import { basename, dirname, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EventView } from '../decode/event-view.ts';
import { KIND } from '../generated/layouts.ts';
import { FlightringError, UsageError } from '../model/errors.ts';
import { defineInvariant, type Invariant, neededKinds } from './invariant.ts';

/** What a module's `import … from 'flightring'` gets, wherever it lies and whether or not flightring is installed there. */
const LIBRARY = { defineInvariant, EventView, FlightringError, UsageError };

/** The invariants that a module exports by default: one, or an array. */
export async function loadInvariants(file: string, library: object = LIBRARY): Promise<readonly Invariant[]> {
  const path = resolve(file);
  if (!existsSync(path) || !statSync(path).isFile())
    throw new UsageError('NO_MODULE', `There is no invariant module ${file}.`);
  // Node 20 can't run TypeScript, and node_modules of the module's own folder may have no flightring.
  const { createJiti } = await import('jiti');
  const jiti = createJiti(pathToFileURL(path).href, {
    fsCache: false,
    moduleCache: false,
    virtualModules: { flightring: library },
  });
  let exported: unknown;
  try {
    exported = await jiti.import(path, { default: true });
  } catch (cause) {
    throw explainModuleError(cause, path);
  }
  const list: readonly unknown[] = Array.isArray(exported) ? exported : [exported];
  if (list.length === 0)
    throw new UsageError(
      'BAD_INVARIANT',
      `${file} exports no invariant: its default export is an empty array.`,
    );
  for (const [i, candidate] of list.entries()) {
    const problem = problemOf(candidate);
    if (problem === undefined) continue;
    const which = Array.isArray(exported) ? `entry ${i} of its default export` : 'its default export';
    throw new UsageError('BAD_INVARIANT', `${file}: ${which} ${problem}.`);
  }
  return list as readonly Invariant[];
}

/** An error thrown while invariants run: as a sentence with file and line if it comes from one of these modules. */
export function explainThrown(error: unknown, modules: readonly string[]): unknown {
  if (error instanceof FlightringError || !(error instanceof Error)) return error;
  const path = modules.find((module) => error.stack?.includes(basename(module)));
  return path === undefined ? error : explainModuleError(error, resolve(path));
}

/** What went wrong in a user's module, with its file and line; `path` is absolute. */
export function explainModuleError(cause: unknown, path: string): UsageError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const place = placeIn(cause, path);
  const words = (message.split('\n')[0] ?? '')
    .replaceAll(pathToFileURL(path).href, path)
    .replaceAll(`${path}: `, '');
  return new UsageError('BAD_INVARIANT', `${place}: ${words.replace(/\s*\(\d+:\d+\)$/, '')}`, { cause });
}

/** `mine.ts:12:3`, from a parser's words or the topmost line of the stack that is in this folder. */
function placeIn(cause: unknown, path: string): string {
  const shown = relative(process.cwd(), path);
  const name = shown.startsWith('..') ? path : shown;
  if (!(cause instanceof Error)) return name;
  const parsed = /\((\d+):(\d+)\)/.exec(cause.message.split('\n')[0] ?? '');
  if (cause.name === 'SyntaxError' && parsed) return `${name}:${parsed[1]}:${Number(parsed[2]) + 1}`;
  const folder = dirname(path);
  for (const line of (cause.stack ?? '').split('\n')) {
    const found = /\(?(?:file:\/\/)?(\/[^():]+):(\d+):(\d+)\)?$/.exec(line.trim());
    if (!found?.[1]?.startsWith(folder) || found[1].includes('/node_modules/')) continue;
    const file = relative(process.cwd(), found[1]);
    return `${file.startsWith('..') ? found[1] : file}:${found[2]}:${found[3]}`;
  }
  return name;
}

/** What keeps a value from being an invariant, as the end of a sentence. */
function problemOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null)
    return `is ${value === undefined ? 'missing' : `a ${typeof value}`}, not an invariant made by defineInvariant`;
  const invariant = value as Partial<Record<string, unknown>>;
  for (const member of ['name', 'claim', 'object', 'source'])
    if (typeof invariant[member] !== 'string' || invariant[member] === '') return `has no ${member} (a text)`;
  const name = invariant['name'] as string;
  const { severity } = invariant;
  if (severity !== undefined && severity !== 'violation' && severity !== 'warning')
    return `(${name}) has severity ${JSON.stringify(severity)}; it is "violation" or "warning"`;
  const problem = 'moves' in invariant ? tableProblem(invariant) : stepProblem(invariant);
  if (problem !== undefined) return `(${name}) ${problem}`;
  const strange = neededKinds(value as Invariant).find((kind) => !Object.hasOwn(KIND, kind));
  return strange === undefined ? undefined : `(${name}) needs ${kindAdvice(strange)}`;
}

function stepProblem({ needs, start }: Partial<Record<string, unknown>>): string | undefined {
  if (!isTexts(needs) || needs.length === 0) return 'has no needs (an array of kinds of event)';
  return typeof start === 'function' ? undefined : 'has no start (a function that returns { step })';
}

function tableProblem({
  moves,
  states,
  key,
  sentence,
}: Partial<Record<string, unknown>>): string | undefined {
  if (key !== 'frame') return `has key ${JSON.stringify(key)}; a table can only have "frame"`;
  if (!isTexts(states) || states.length === 0 || states.length > 63)
    return 'has no states (an array of 1 to 63 texts)';
  if (typeof sentence !== 'function') return 'has no sentence (a function that returns a text)';
  if (typeof moves !== 'object' || moves === null) return 'has no moves';
  for (const [kind, move] of Object.entries(
    moves as Record<string, { from?: unknown; to?: unknown } | null>,
  )) {
    if (!isTexts(move?.from) || typeof move.to !== 'string')
      return `moves ${kind} otherwise than { from: […], to: … }`;
    const strange = [...move.from, move.to].find((state) => !states.includes(state));
    if (strange !== undefined) return `moves ${kind} by way of ${strange}, which is no state of it`;
  }
  return undefined;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}

function kindAdvice(kind: string): string {
  const path = kind.split('_')[0] ?? '';
  const known = Object.keys(KIND).filter((name) => name.startsWith(`${path}_`));
  return known.length > 0
    ? `the kind of event ${kind}, which doesn't exist; of ${path} there are ${known.join(', ')}`
    : `the kind of event ${kind}, which doesn't exist`;
}
