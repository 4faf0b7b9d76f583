// The demo: a real fault of a real AF_XDP application on a kernel in the lab, recorded, frozen, and explained.

import { copyFileSync, chmodSync, mkdirSync, readdirSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { wantsColour } from '../src/cli/colour.ts';
import { bootLab, type Lab } from '../src/lab/index.ts';
import { SCENARIOS } from '../src/generated/scenarios.ts';
import { FlightringError, LabError } from '../src/model/errors.ts';
import { checkRecording, type RecordingCheck } from '../src/pipeline.ts';
import { collectLife } from '../src/report/life.ts';
import { createObjectTable } from '../src/report/objects.ts';
import { createPalette, type Palette } from '../src/report/palette.ts';
import { parseSelector } from '../src/report/selector.ts';
import { createThreadNames } from '../src/report/threads.ts';
import { timeline } from '../src/report/timeline.ts';
import { nextCommands, violationText } from '../src/report/violation.ts';
import { Progress } from './demo-progress.ts';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const SCENARIO = 'double-fill';
const OUT = 'flightring-demo';
const COMMAND = 'npx flightring';
/** An emulated machine beside other work can be slow; beyond this it hangs. */
const PATIENCE_MS = 180_000;
const EVENTS_IN_LIFE = 10;

/** Runs the scenario in the lab; returns the recording's path on this machine as soon as it is whole. */
async function recordInLab(lab: Lab, progress: Progress): Promise<string> {
  const said: string[] = [];
  let rest = '';
  const onStdout = (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) said.push(...tellLine(line, progress));
  };
  const command = [
    'dist/src/lab/demo-main.js',
    lab.guestShareDir,
    'build/workloads',
    'test/workloads',
    SCENARIO,
  ];
  let ended = false;
  const run = lab
    .run([process.execPath, ...command], { cwd: ROOT, timeoutMs: PATIENCE_MS, onStdout })
    .then(({ stderr }) => said.push(...stderr.split('\n').filter((line) => line !== '')))
    .finally(() => {
      ended = true;
    });
  // Whoever waits below is told.
  run.catch(() => {});
  let frozen = false;
  for (;;) {
    const over = ended;
    const files = readdirSync(lab.shareDir);
    const name = files.find((file) => file.endsWith('.parquet'));
    if (name !== undefined) return keep(join(lab.shareDir, name));
    if (!frozen && files.some((file) => file.startsWith('flightring-'))) {
      frozen = true;
      progress.begin('an invariant is violated: the events held become a Parquet file');
    }
    if (over) break;
    await sleep(100);
  }
  await run;
  const why = said.find((line) => /error|cannot|refused/i.test(line)) ?? said.at(-1);
  throw new LabError('DEMO_NO_RECORDING', `the fault was not caught${why === undefined ? '' : `: ${why}`}`);
}

/** One line of the scenario's; returns what went wrong. */
function tellLine(line: string, progress: Progress): string[] {
  let said: { readonly progress?: string; readonly error?: string };
  try {
    said = JSON.parse(line) as typeof said;
  } catch {
    return [line];
  }
  if (said.progress !== undefined) progress.begin(said.progress);
  return said.error === undefined ? [] : [said.error.split('\n')[0] as string];
}

/** The lab's folder goes with the lab. */
function keep(file: string): string {
  const folder = join(ROOT, OUT);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, basename(file));
  copyFileSync(file, path);
  chmodSync(path, 0o600);
  return path;
}

/** The violation, the frame's life, the recording, and where to look next. */
function tellStory({ recording, summary }: RecordingCheck, path: string, palette: Palette): string[] {
  const { meta } = recording;
  const violation = meta.violations.find(({ severity }) => severity === 'violation');
  const expected = SCENARIOS.find(({ name }) => name === SCENARIO)?.expects ?? [];
  if (violation === undefined || !expected.includes(violation.invariant))
    throw new LabError('DEMO_NO_VIOLATION', `${path} holds no violation of ${expected.join(' or ')}`);
  if (!summary.violations.some(({ invariant }) => invariant === violation.invariant))
    throw new LabError(
      'DEMO_NOT_REPRODUCED',
      `checking ${path} again did not find ${violation.invariant} broken`,
    );
  const selector = parseSelector(violation.object);
  if (selector === undefined)
    throw new LabError('DEMO_NO_OBJECT', `${violation.object} is no object to draw`);
  const known = { objects: createObjectTable(meta.objects), threads: createThreadNames(meta.threads) };
  const life = collectLife(recording.batches(), selector, known, { violation, keep: EVENTS_IN_LIFE });
  return [
    '',
    ...violationText(violation, { palette, meta }),
    '',
    // The sentence stands above already.
    ...timeline(life, { palette, violation }).slice(0, -3),
    '',
    `  ${palette.dim('recording')}  ${path}`,
    '',
    `  ${palette.dim('try next')}   ${nextCommands(violation, relative(process.cwd(), path), COMMAND).join(`\n${' '.repeat(13)}`)}`,
    '',
  ];
}

async function main(): Promise<void> {
  const started = performance.now();
  const palette = createPalette(wantsColour(process.stdout, undefined));
  const progress = new Progress(palette, process.stdout);
  let lab: Lab | undefined;
  try {
    progress.begin('looking for the kernel of the lab');
    lab = await bootLab({ modules: ['veth'], onProgress: (message) => progress.begin(message) });
    progress.begin('loading and attaching the probes');
    const path = await recordInLab(lab, progress);
    progress.begin('checking the recording again, on this machine');
    const check = await checkRecording(path);
    progress.done();
    const shutdown = lab.shutdown();
    process.stdout.write(`${tellStory(check, path, palette).join('\n')}\n`);
    await shutdown;
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    process.stdout.write(palette.dim(`The lab and all of this took ${seconds} s.\n`));
  } catch (error) {
    progress.fail();
    await lab?.shutdown();
    if (!(error instanceof FlightringError)) throw error;
    process.stderr.write(`demo: ${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}

await main();
