// flightring query: questions in SQL to one or thousands of recordings.

import { Command } from 'commander';
import type { QueryFlags } from './query-run.ts';

export function queryCommand(): Command {
  return new Command('query')
    .description(
      'ask recordings in SQL (DuckDB); the views are events, violations, objects, gaps, coverage, recordings, windows, threads and invariants',
    )
    .argument(
      '[words...]',
      'recordings, folders or patterns, and last the SQL ("-" reads it from standard input)',
    )
    .option('--ask <name>', 'a ready-made question in place of SQL')
    .option('--set <name=value>', 'a parameter of the ready-made question; may be given again', collect)
    .option('--list', 'the ready-made questions, their parameters and the columns that can be asked for')
    .option('--file <path>', 'a file with the SQL')
    .option('--print-sql', 'the SQL of the ready-made question, not its answer')
    .option('--format <format>', 'table, json (an object per line), csv or parquet', 'table')
    .option('-o, --output <path>', 'write the answer to a file, which appears whole or not at all')
    .option('--threads <number>', 'how many threads may work; default: as many as there are CPUs')
    .option(
      '--memory <size>',
      'memory DuckDB may take before it uses the disk, for example 2GB; default: a quarter',
    )
    .option('--no-pager', 'never through $PAGER (less -SRFX)')
    .option('--no-color', 'plain text on a terminal, too')
    .addHelpText(
      'after',
      `
Every byte of every recording is held against its checksums before it is asked. A damaged one is left out and told of.
The recordings can't be changed by a query, and no other file can be read or written by it.

Examples:
  flightring query r.parquet "SELECT kind, count(*) FROM events GROUP BY kind"
  flightring query r.parquet --ask life --set object=frame:0x64000@umem:1
  flightring query recordings/ --ask violations --format csv -o violations.csv
  flightring query 'host=*/date=2026-11-*/*.parquet' "SELECT host, sum(lost) FROM gaps GROUP BY host"

Exit status: 0 an answer, 2 bad usage, an error in the SQL or nothing that can be read, 4 an answer without some of the files.`,
    )
    .action(async (words: string[], flags: QueryFlags) => {
      process.exitCode = await (await import('./query-run.ts')).runQuery(words, flags);
    });
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
