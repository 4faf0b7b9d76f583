// Adds the time of each test file to build/test-times.tsv, which scripts/test.sh prints at the end, slowest first.

import { appendFileSync, mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';

const ROOT = join(import.meta.dirname, '..');

export default class Times implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    mkdirSync(join(ROOT, 'build'), { recursive: true });
    const lines = modules.map((module) => {
      const { collectDuration, duration, setupDuration } = module.diagnostic();
      const seconds = (collectDuration + setupDuration + duration) / 1000;
      return `${seconds.toFixed(1)}\t${module.project.name}\t${relative(ROOT, module.moduleId)}\n`;
    });
    appendFileSync(join(ROOT, 'build/test-times.tsv'), lines.join(''));
  }
}
