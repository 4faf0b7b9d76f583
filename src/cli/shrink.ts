// flightring shrink: the smallest part of a recording on which the same violation is still found.

import { Command } from 'commander';
import type { ShrinkFlags } from './shrink-run.ts';

export function shrinkCommand(): Command {
  return new Command('shrink')
    .description(
      'leave out of a recording all that a violation does not need, and write the rest as a recording of its own',
    )
    .argument('<file>', 'a recording (.parquet or raw)')
    .option('-o, --out <file>', 'the recording to write; without it NAME.shrunk.parquet beside the file')
    .option('--violation <number>', 'which one, counted from 1 as check lists them; without it the first')
    .option(
      '--invariants <list>',
      'look for violations of these: names, paths (xsk), all, or modules of your own (./mine.ts)',
    )
    .option('--fixture <file>', "also write it as a test case for this project's test/unit/invariants")
    .option('--json', 'what was done as one JSON object')
    .option('--no-color', 'plain text on a terminal, too')
    .addHelpText(
      'after',
      '\nThe result is 1-minimal: without any one of its events the violation is not reported. It is the same violation\nif invariant, object, offending event and evidence are the same (docs/shrinking.md).\n\nExit status: 0 done, 2 bad usage, a damaged recording, or no violation in it.',
    )
    .action(async (file: string, flags: ShrinkFlags) =>
      (await import('./shrink-run.ts')).runShrink(file, flags),
    );
}
