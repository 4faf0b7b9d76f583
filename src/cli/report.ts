// flightring report: a recording as one HTML file.

import { Command } from 'commander';
import type { ReportFlags } from './report-run.ts';

export function reportCommand(): Command {
  return new Command('report')
    .description(
      'write a recording as one HTML page: the picture of what happened, the evidence, and everything the recording says of itself; it opens from disk and loads nothing',
    )
    .argument('<file>', 'a recording (.parquet or raw)')
    .option(
      '-o, --output <file>',
      'where to write it; - for standard output (default: the name of the recording with .html)',
    )
    .option('-q, --quiet', 'say nothing')
    .action(async (file: string, flags: ReportFlags) =>
      (await import('./report-run.ts')).runReport(file, flags),
    );
}
