// flightring show: a recording as a trace in the style ftrace users know, or one object's whole life.

import { Command } from 'commander';
import { OBJECT_FORMS } from '../report/selector.ts';
import { addEventOptions } from './event-options.ts';
import type { ShowOptions } from './show-run.ts';

export function showCommand(): Command {
  const command = new Command('show')
    .description(
      'print a recording as a trace; with --object, the whole life of one frame, socket, neighbour, SA or the like',
    )
    .argument('<file>', 'a recording (.parquet or raw)');
  return addEventOptions(command, '--to')
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
