// flightring export: a recording in the format of another tool.

import { Command, Option } from 'commander';
import { EXPORT_FORMATS } from '../export/formats.ts';
import { OBJECT_FORMS } from '../report/selector.ts';
import { addEventOptions } from './event-options.ts';
import type { ExportFlags } from './export-run.ts';

export function exportCommand(): Command {
  const command = new Command('export')
    .description('write a recording in the format of another tool: Perfetto, Arrow, CSV, ftrace, …')
    .argument('<file>', 'a recording (.parquet or raw)')
    .addOption(new Option('-t, --to <format>', 'the format').choices(EXPORT_FORMATS).makeOptionMandatory())
    .option('-o, --out <path>', "where to; - is standard output (default: the recording's name)")
    .option('--force', 'write over a file that exists')
    .option('--with-meta', "ndjson: a first line with the recording's description");
  return addEventOptions(command, '--until')
    .addHelpText(
      'after',
      `
Formats:
  perfetto   threads, CPUs, life-lines of objects and violations, for https://ui.perfetto.dev
  chrome     the same as JSON, for chrome://tracing and others
  ndjson     one JSON object per event and line, as "flightring show --json" prints it
  csv        the columns of the recording, one line per event (RFC 4180)
  arrow      the same as an Arrow IPC file, for pandas, Polars, R
  ftrace     the text of /sys/kernel/tracing/trace
  pcapng     packets, where their bytes were recorded, for Wireshark

Objects, for --object:
${OBJECT_FORMS.map((form) => `  ${form}`).join('\n')}

Exit status: 0 fine; 2 bad usage or input, or a damaged recording, of which what is readable was written;\n4 written without what only a newer version of flightring could read.`,
    )
    .action(async (file: string, flags: ExportFlags) => {
      process.exitCode = await (await import('./export-run.ts')).runExport(file, flags);
    });
}
