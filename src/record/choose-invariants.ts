// Which invariants run: by name, by path, and from a user's own modules.

import { defineInvariant, type Invariant, neededKinds } from '../check/invariant.ts';
import { loadInvariants } from '../check/load-invariants.ts';
import { INVARIANTS } from '../generated/invariants.ts';
import { LAYOUTS } from '../generated/layouts.ts';
import { SIDE_PATHS } from '../model/probe.ts';

const PATH_OF: ReadonlyMap<string, string> = new Map(LAYOUTS.map(({ kind, path }) => [kind, path]));

/** The paths whose events an invariant needs; those that only say more about others are always there. */
function neededPaths(invariant: Invariant): string[] {
  const paths = neededKinds(invariant).map((kind) => PATH_OF.get(kind) ?? kind);
  return [...new Set(paths)].filter((path) => !SIDE_PATHS.includes(path));
}

/** Names of the built-in invariants all of whose events these paths record. */
export function invariantsOfPaths(paths: readonly string[]): string[] {
  return INVARIANTS.filter((invariant) => neededPaths(invariant).every((path) => paths.includes(path))).map(
    ({ name }) => name,
  );
}

/** The invariants of which these paths record some events but not all, with the paths they lack. */
export function invariantsLeftOut(
  paths: readonly string[],
): { readonly name: string; readonly missing: readonly string[] }[] {
  return INVARIANTS.flatMap((invariant) => {
    const needed = neededPaths(invariant);
    const missing = needed.filter((path) => !paths.includes(path));
    return missing.length > 0 && missing.length < needed.length ? [{ name: invariant.name, missing }] : [];
  });
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
