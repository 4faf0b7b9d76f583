// The tests by kind: what needs nothing, what needs this machine's kernel or the lab, a browser, or the packed package.

import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Left to itself, vitest leaves one core to its own process, which has little to do. */
const maxWorkers = availableParallelism();
const slow = { testTimeout: 600_000, hookTimeout: 600_000, fileParallelism: false, maxWorkers: 1 };

export default defineConfig({
  test: {
    reporters: ['default', './test/kernel/ran-reporter.ts', './test/times-reporter.ts'],
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], maxWorkers, testTimeout: 120_000 } },
      { test: { name: 'property', include: ['test/property/**/*.test.ts'], maxWorkers, testTimeout: 240_000 } },
      { test: { name: 'golden', include: ['test/golden/**/*.test.ts'], maxWorkers, testTimeout: 60_000 } },
      { test: { name: 'kernel', include: ['test/kernel/**/*.test.ts'], globalSetup: ['test/kernel/build.ts'], ...slow } },
      { test: { name: 'browser', include: ['test/browser/**/*.test.ts'], ...slow } },
      { test: { name: 'package', include: ['test/package/**/*.test.ts'], ...slow } },
    ],
  },
});
