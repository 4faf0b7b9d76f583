// The command line as JavaScript, for tests that start processes: Node's threads can't run TypeScript, and a loader costs time.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const ROOT = join(import.meta.dirname, '..');

export interface Bundle {
  /** What to start with node. */
  readonly main: string;
  remove(): void;
}

/** Lies in build/, from where it finds the packages. */
export async function bundleCommandLine(): Promise<Bundle> {
  mkdirSync(join(ROOT, 'build'), { recursive: true });
  const folder = mkdtempSync(join(ROOT, 'build/bundle-'));
  await build({
    entryPoints: [join(ROOT, 'src/cli/main.ts'), join(ROOT, 'src/bulk/check-worker.ts')],
    entryNames: '[name]',
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    logLevel: 'error',
  });
  return { main: join(folder, 'main.js'), remove: () => rmSync(folder, { recursive: true, force: true }) };
}
