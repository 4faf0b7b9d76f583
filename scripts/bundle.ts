// Bundles what is published: the programs, which share what they have in common, and the browser part of the report.

import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const OUT = join(ROOT, 'dist', 'src');

/** Each is started by itself: the command line, what is imported, threads, and programs of the lab. */
const PROGRAMS = [
  'src/cli/main',
  'src/index',
  'src/bulk/check-worker',
  'src/record/checker-worker',
  'src/record/dump-worker',
  'src/record/export-worker',
  'src/lab/demo-main',
  'src/lab/prepare-main',
  'src/lab/scenario-main',
];

/**
 * Programs, by their paths without the ending, into the folder `outdir`: each reads few files so, and starts sooner; what it
 * doesn't need at once, and what others share, stays in files of its own.
 */
export async function bundle(programs: readonly string[], outdir: string): Promise<void> {
  await build({
    absWorkingDir: ROOT,
    entryPoints: programs.map((name) => `${name}.ts`),
    outdir,
    outbase: '.',
    chunkNames: 'src/parts/[name]-[hash]',
    bundle: true,
    splitting: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    charset: 'utf8',
    logLevel: 'warning',
  });
}

export async function bundlePage(): Promise<void> {
  await build({
    absWorkingDir: ROOT,
    entryPoints: ['src/page/client/main.ts', 'src/page/client/page.css'],
    outdir: join(OUT, 'page', 'client'),
    bundle: true,
    minify: true,
    format: 'iife',
    target: ['chrome111', 'firefox113', 'safari16.4'],
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'warning',
  });
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  await Promise.all([bundle(PROGRAMS, join(ROOT, 'dist')), bundlePage()]);
