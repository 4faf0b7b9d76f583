// flightring record: follow events until an invariant breaks, and keep what led to it.

import { Command, Option } from 'commander';
import { PROBE_PATHS } from '../generated/probes.ts';
import { SIDE_PATHS } from '../model/probe.ts';
import type { RecordFlags } from './record-run.ts';

const PATHS = PROBE_PATHS.map(({ path }) => path).filter((path) => !SIDE_PATHS.includes(path));

export function recordCommand(): Command {
  return new Command('record')
    .description(
      'record events of the kernel into rings that hold the last ones, follow them with invariants, and freeze and export what is held when one is broken',
    )
    .option(
      '--paths <names>',
      `what to record, with commas: ${PATHS.join(', ')} (default: all of these), mark (with --mark, or when named)`,
    )
    .option(
      '--invariants <names>',
      'which to check, by name, by path (xsk) or as a module of your own (./mine.ts); default: all of the paths',
    )
    .option('--last <number>', 'a recording holds at most the last so many events of each path')
    .option(
      '--before <time>',
      'a recording holds the events of so long before the violation, for example 10s',
    )
    .option('--after <time>', 'record on for so long after the violation, for example 500ms')
    .option('--out <folder>', 'where recordings go', '.')
    .option('--once', 'end after the first recording; without it, recording goes on in the other bank')
    .addOption(
      new Option('--freeze-on <severity>', 'what freezes')
        .choices(['violation', 'warning', 'none'])
        .default('violation'),
    )
    .addOption(
      new Option('--on-exit <what>', 'what becomes of the events held when recording ends')
        .choices(['discard', 'export'])
        .default('discard'),
    )
    .option('--for <time>', 'end after so long')
    .option(
      '--netns <name>',
      'only devices of this network namespace: a name of ip netns, a process id or a path',
    )
    .option('--ifname <name>', 'only this interface')
    .option('--pid <number>', 'only sockets of this process')
    .option('--comm <name>', 'only sockets of processes of this name')
    .option(
      '--snaplen <bytes>',
      'keep so many bytes of each packet that an AF_XDP socket receives, at most 128; default 0: no packet is looked at',
    )
    .addOption(
      new Option('--attach <method>', 'attach to functions by this method only').choices([
        'fentry',
        'kprobe',
      ]),
    )
    .option(
      '--mark <file>',
      'a program or library whose FLIGHTRING_MARKs are recorded, too; may be repeated',
      (file: string, files?: readonly string[]) => [...(files ?? []), file],
    )
    .option('--no-tripwires', 'do not let checks inside the kernel freeze')
    .option('--ready-file <file>', 'written once events are recorded')
    .option('--json', 'what happens as JSON lines on standard output')
    .option('--no-color', 'plain text on a terminal, too')
    .addHelpText(
      'after',
      '\nSIGUSR1 freezes by hand. SIGINT and SIGTERM end it. A line "armed" on standard output says that events are recorded.\nExit status: 0 no violation, 1 a violation, 2 bad usage, 3 the kernel refused, 4 no violation but events were lost.',
    )
    .action(async (flags: RecordFlags) => (await import('./record-run.ts')).runRecord(flags));
}
