// The value of --invariants: names, paths (`xsk`) and modules of the user's own, with commas between them.

import { resolve } from 'node:path';
import type { Invariant } from '../check/invariant.ts';
import { explainThrown, loadInvariants } from '../check/load-invariants.ts';
import { INVARIANTS } from '../generated/invariants.ts';
import { UsageError } from '../model/errors.ts';
import { unknownWord } from './nearest.ts';

export interface ChosenInvariants {
  readonly invariants: readonly Invariant[];
  /** Where they come from: names of built-in ones, and paths of modules. */
  readonly names: readonly string[];
  readonly modules: readonly string[];
  /** An error thrown while they run, as a sentence with file and line if it comes from a user's module. */
  explain(error: unknown): unknown;
}

export async function chooseInvariants(text: string): Promise<ChosenInvariants> {
  const chosen = new Map<string, Invariant>();
  const modules: string[] = [];
  for (const word of text.split(',').map((part) => part.trim())) {
    if (word === '')
      throw new UsageError(
        'NO_INVARIANT',
        '--invariants needs names or files with commas between them, for example xsk.ownership,./mine.ts.',
      );
    for (const invariant of isFile(word) ? await load(word, modules) : named(word)) {
      const other = chosen.get(invariant.name);
      if (other !== undefined && other !== invariant)
        throw new UsageError(
          'TWO_INVARIANTS',
          `There are two invariants called ${invariant.name}; rename yours in ${word}.`,
        );
      chosen.set(invariant.name, invariant);
    }
  }
  return {
    invariants: [...chosen.values()],
    names: [...chosen.values()].filter((one) => INVARIANTS.includes(one)).map(({ name }) => name),
    modules,
    explain: (error) => explainThrown(error, modules),
  };
}

function isFile(word: string): boolean {
  return word.includes('/') || /\.[cm]?[jt]s$/.test(word);
}

async function load(word: string, modules: string[]): Promise<readonly Invariant[]> {
  modules.push(resolve(word));
  return loadInvariants(word);
}

function named(word: string): readonly Invariant[] {
  if (word === 'all') return INVARIANTS;
  const found = INVARIANTS.filter(({ name }) => name === word || name.startsWith(`${word}.`));
  if (found.length === 0)
    throw unknownWord(
      'invariant',
      word,
      INVARIANTS.map(({ name }) => name),
    );
  return found;
}
