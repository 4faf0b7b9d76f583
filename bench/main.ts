// Runs the benchmarks named on the command line, or all of them, and writes build/bench/results.json.

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { check } from './check.ts';
import { BUILD } from './driver.ts';
import { drain } from './drain.ts';
import { emit } from './emit.ts';
import { exportBank } from './export.ts';
import { freeze } from './freeze.ts';
import { idle } from './idle.ts';
import { live } from './live.ts';
import { query } from './query.ts';
import { shrink } from './shrink.ts';
import { start } from './start.ts';
import { sustain } from './sustain.ts';
import { type Benchmark, type Options, passes, print } from './table.ts';

const BENCHMARKS: Readonly<Record<string, (options: Options) => Promise<Benchmark>>> = {
  emit,
  live,
  drain,
  sustain,
  freeze,
  export: exportBank,
  check,
  start,
  idle,
  query,
  shrink,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false }, strict: { type: 'boolean', default: false } },
});

const unknown = positionals.filter((name) => !(name in BENCHMARKS));
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(', ')}: there are ${Object.keys(BENCHMARKS).join(', ')}`);
  process.exit(2);
}
if (process.getuid?.() !== 0) {
  console.error('the benchmarks load BPF programs: run them as root');
  process.exit(2);
}

mkdirSync(BUILD, { recursive: true });
execFileSync('make', ['-s', '-C', import.meta.dirname], { stdio: 'inherit' });

const done: Benchmark[] = [];
const failed: string[] = [];
for (const [name, run] of Object.entries(BENCHMARKS)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  try {
    const result = await run({ quick: values.quick });
    done.push(result);
    print(result, console.log);
  } catch (error) {
    failed.push(name);
    console.error(`\n${name} FAILED:`, error);
  }
}

const rows = done.flatMap(({ name, rows }) => rows.map((row) => ({ benchmark: name, ...row })));
const missed = rows.filter(({ target }) => target && !passes(target));
writeFileSync(
  join(BUILD, 'results.json'),
  `${JSON.stringify(
    {
      date: new Date().toISOString(),
      quick: values.quick,
      kernel: release(),
      cpus: cpus().length,
      node: process.version,
      failed,
      rows: rows.map((row) => ({ ...row, pass: row.target ? passes(row.target) : null })),
    },
    null,
    2,
  )}\n`,
);
const judged = rows.filter(({ target }) => target).length;
console.log(`\n${judged - missed.length} of ${judged} targets met`);
for (const { benchmark, variant, compared } of missed)
  console.log(
    `MISSED  ${benchmark}: ${variant}${compared ? ` (${compared.value.toFixed(2)} ${compared.unit} ${compared.to})` : ''}`,
  );
process.exit(failed.length > 0 || (values.strict && missed.length > 0) ? 1 : 0);
