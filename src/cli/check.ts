// flightring check: recordings replayed through the invariants, and the verdict beside the live one.

import { Command } from 'commander';
import type { CheckFlags } from './check-run.ts';

export function checkCommand(): Command {
  return new Command('check')
    .description(
      'replay recordings through the invariants they were made with, or others, and compare the verdict with the live one',
    )
    .argument(
      '<file...>',
      'recordings (.parquet or raw), folders with recordings in and below them, or patterns',
    )
    .option(
      '--invariants <list>',
      'which ones: names, whole paths (xsk), all, or modules of your own (./mine.ts), with commas between them',
    )
    .option('--jobs <number>', 'threads that check many recordings; default one per core')
    .option(
      '--json',
      'one JSON object per recording and line; of several recordings, one more with the summary',
    )
    .option('--quiet', 'only the exit status, and what is wrong with a recording')
    .option('--no-color', 'plain text on a terminal, too')
    .addHelpText(
      'after',
      '\nExit status: 0 no violation (warnings are not one), 1 a violation, 2 bad usage or a damaged recording,\n4 no violation, but events were lost in the recording. Of several recordings the worst: 2, then 1, then 4.\n\nExample: flightring check archive/ --invariants ./tomorrow.ts',
    )
    .action(async (files: string[], flags: CheckFlags) => {
      process.exitCode = await (await import('./check-run.ts')).runCheck(files, flags);
    });
}
