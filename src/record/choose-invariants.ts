// Which invariants run: by name, by path, and from a user's own modules.

import { defineInvariant, type Invariant } from '../check/invariant.ts';
import { loadInvariants } from '../check/load-invariants.ts';
import { INVARIANTS } from '../generated/invariants.ts';

/** Names of the built-in invariants of these paths. */
export function invariantsOfPaths(paths: readonly string[]): string[] {
  return INVARIANTS.map(({ name }) => name).filter((name) =>
    paths.includes(name.slice(0, name.indexOf('.'))),
  );
}

/** The invariants of these names, then those of the modules. */
export async function chooseInvariants(
  names: readonly string[],
  modules: readonly string[],
): Promise<Invariant[]> {
  const chosen = INVARIANTS.filter(({ name }) => names.includes(name));
  for (const module of modules) chosen.push(...(await loadInvariants(module, { defineInvariant })));
  return chosen;
}
