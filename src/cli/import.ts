// flightring import: the text of ftrace, trace-cmd, perf or bpftrace as a recording.

import { Command, Option } from 'commander';
import type { ImportFlags } from './import-run.ts';

export function importCommand(): Command {
  return new Command('import')
    .description(
      'make a recording of the text of ftrace (trace, trace_pipe), trace-cmd report, perf script or a bpftrace script, with probes and application markers',
    )
    .argument('[file]', 'the trace; - for standard input')
    .option('-o, --output <file>', 'the recording to write (.parquet)')
    .option(
      '--map <mapping>',
      'which event and marker is what: a TOML file, or xsk-markers, which is also the default',
    )
    .addOption(
      new Option('--format <format>', 'which tool wrote the text')
        .choices(['auto', 'ftrace', 'trace-cmd', 'perf', 'bpftrace'])
        .default('auto'),
    )
    .option('--print-map [name]', 'print a mapping that ships with flightring, to begin your own with')
    .option('--json', 'what became of the lines as one JSON object on standard output')
    .addHelpText(
      'after',
      `
Lines:
  ftrace, trace-cmd  comm-tid [cpu] flags seconds: event: …    markers as tracing_mark_write: or print:
  perf script        comm tid [cpu] seconds: group:event: …
  bpftrace           nsecs cpu comm tid event: key=value …

Exit status: 0 every line was used or is ignored by the mapping, 2 bad usage, a wrong mapping or nothing usable,
4 a recording was written, but lines were not used or the trace says that events were lost.

Examples:
  cat /sys/kernel/tracing/trace | flightring import - -o trace.parquet
  trace-cmd report -t trace.dat | flightring import - -o trace.parquet --map mine.toml`,
    )
    .action(async (file: string | undefined, flags: ImportFlags) => {
      process.exitCode = await (await import('./import-run.ts')).runImport(file, flags);
    });
}
