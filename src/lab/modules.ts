// Which module files must be loaded, and in which order, according to depmod's modules.dep.

import { basename } from 'node:path';

import { LabError } from '../model/errors.ts';

/** Paths as modules.dep has them, each after everything it depends on; without those in modules.builtin. */
export function loadOrder(modulesDep: string, names: readonly string[], modulesBuiltin: string): string[] {
  const builtIn = new Set(modulesBuiltin.split('\n').map(moduleName));
  const dependencies = new Map<string, readonly string[]>();
  const pathOf = new Map<string, string>();
  for (const line of modulesDep.split('\n')) {
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const path = line.slice(0, colon);
    dependencies.set(
      path,
      line
        .slice(colon + 1)
        .split(' ')
        .filter((word) => word !== ''),
    );
    pathOf.set(moduleName(path), path);
  }

  const order = new Set<string>();
  const visit = (path: string): void => {
    // modules.dep lists the whole closure, the deepest dependency last.
    for (const dependency of (dependencies.get(path) ?? []).toReversed()) order.add(dependency);
    order.add(path);
  };
  for (const name of names.filter((wanted) => !builtIn.has(wanted))) {
    const path = pathOf.get(name);
    if (path === undefined)
      throw new LabError('LAB_PREPARE_FAILED', `the kernel package has no module ${name}`);
    visit(path);
  }
  return [...order];
}

/** `kernel/drivers/char/hw_random/virtio-rng.ko.xz` is module `virtio_rng`. */
function moduleName(path: string): string {
  return basename(path)
    .replace(/\.ko(\.\w+)?$/, '')
    .replaceAll('-', '_');
}
