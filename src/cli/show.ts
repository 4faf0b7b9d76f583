// flightring show: a recording as a trace in the style ftrace users know, or one object's whole life.

import { Command } from 'commander';
import { OBJECT_FORMS } from '../report/selector.ts';
import type { ShowOptions } from './show-run.ts';

export function showCommand(): Command {
  return new Command('show')
    .description(
      'print a recording as a trace; with --object, the whole life of one frame, socket, neighbour, SA or the like',
    )
    .argument('<file>', 'a recording (.parquet or raw)')
    .option('--path <names>', 'only these paths, for example xsk,neigh')
    .option('--kind <names>', 'only these kinds of event, for example xsk_rx_publish,xsk_drop')
    .option('--cpu <numbers>', 'only these CPUs, for example 0,2')
    .option('--tid <numbers>', 'only these threads')
    .option('--pid <numbers>', 'only these processes')
    .option('--comm <names>', 'only threads of this name')
    .option(
      '--object <object>',
      'only what concerns it, for example frame:0x64000@umem:1 or neighbour:10.0.0.2; all forms are below',
    )
    .option('--around <time>', 'only this long before and after the first violation, for example 5ms')
    .option('--from <time>', 'from this time on, relative to the first violation, or else to the first event')
    .option('--to <time>', 'until this time, relative to the same')
    .option(
      '--timeline',
      "draw the object's life over the CPUs; without --object, that of the first violation's object",
    )
    .option('--limit <number>', 'stop after so many events')
    .option('--json', 'one JSON object per event and line')
    .option('--no-color', 'plain text on a terminal, too')
    .addHelpText(
      'after',
      `
Objects, for --object; what a violation calls its object will do, too:
${OBJECT_FORMS.map((form) => `  ${form}`).join('\n')}`,
    )
    .action(async (file: string, options: ShowOptions) => {
      process.exitCode = await (await import('./show-run.ts')).show(file, options);
    });
}
