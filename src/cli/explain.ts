// flightring explain: a violation as the chain of events that led to it.

import { Command } from 'commander';
import type { ExplainFlags } from './explain-run.ts';

export function explainCommand(): Command {
  return new Command('explain')
    .description(
      'say which events had to happen for a violation, in order, on which CPU and by which thread, and what its invariant expected instead',
    )
    .argument('<file>', 'a recording (.parquet or raw)')
    .option('--violation <number>', 'which one, counted from 1 as check lists them; without it the first')
    .option(
      '--invariants <list>',
      'look for violations of these: names, paths (xsk), all, or modules of your own (./mine.ts)',
    )
    .option('--json', 'the same as one JSON object')
    .option('--no-color', 'plain text on a terminal, too')
    .addHelpText(
      'after',
      '\nTimes are relative to the offending event ✗; ◆ is evidence, ● is needed besides, ○ came too late. Events of two or\nthree CPUs stand side by side where they fit.\n\nExit status: 0 done, 2 bad usage, a damaged recording, or no violation in it.',
    )
    .action(async (file: string, flags: ExplainFlags) =>
      (await import('./explain-run.ts')).runExplain(file, flags),
    );
}
