// Fails a whole test run in which no test met a real kernel: that would be silence, not success.

import type { Reporter, TestModule, Vitest } from 'vitest/node';

export default class KernelTestsRan implements Reporter {
  #vitest: Vitest | null = null;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    // A run of some files only is told by the projects that are missing from it.
    const projects = new Set(modules.map(({ project }) => project.name));
    const isWhole = ['unit', 'property', 'package'].every((name) => projects.has(name));
    if (!isWhole && this.#vitest?.config.project?.includes('kernel') !== true) return;
    let [ran, skipped] = [0, 0];
    for (const module of modules) {
      if (module.project.name !== 'kernel') continue;
      for (const test of module.children.allTests()) {
        if (test.result().state === 'skipped') skipped++;
        else ran++;
      }
    }
    if (ran > 0) return;
    process.stderr.write(`kernel tests: none ran and ${skipped} were skipped\n`);
    process.exitCode = 1;
  }
}
