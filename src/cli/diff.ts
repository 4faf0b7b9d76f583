// flightring diff: what differs between two recordings of the same scenario.

import { Command } from 'commander';
import type { DiffFlags } from './diff-run.ts';

export function diffCommand(): Command {
  return new Command('diff')
    .description(
      'compare two recordings of the same scenario: kinds of event and their rates, moves of objects and how long they take, verdicts, probes, losses',
    )
    .argument('<a>', 'a recording (.parquet or raw)')
    .argument('<b>', 'another one')
    .option('--threshold <factor>', 'what differs for sure by at least this factor is notable', '1.5')
    .option('--limit <number>', 'figures to show at most', '30')
    .option('--all', 'also figures that differ by less, or perhaps by chance')
    .option('--json', 'the whole as one JSON object')
    .option('--no-color', 'plain text on a terminal, too')
    .addHelpText(
      'after',
      '\nMost different first: by the factor that the difference has at least, given how few events a figure rests on\n(docs/comparing.md).\n\nExit status, as that of diff: 0 no notable difference, 1 some, 2 bad usage or a damaged recording.',
    )
    .action(async (a: string, b: string, flags: DiffFlags) => {
      process.exitCode = await (await import('./diff-run.ts')).runDiff(a, b, flags);
    });
}
