// flightring mark: puts a word of one's own into the timeline that somebody records.

import { Argument, Command } from 'commander';
import { UsageError } from '../model/errors.ts';

export function markCommand(): Command {
  return new Command('mark')
    .description(
      'set a mark, for scripts: it appears, with this process and the time, in what "flightring record --paths neigh,mark" records; needs no privilege',
    )
    .addArgument(new Argument('<text>', 'what happened, at most 39 bytes'))
    .option('--value <number>', 'a number to go with it', '0')
    .addHelpText('after', '\nExit status: 0, whether somebody records or not; 2 bad usage.')
    .action(async (text: string, { value }: { value: string }) => {
      const number = Number(value);
      if (!/^\d+$/.test(value) || !Number.isSafeInteger(number))
        throw new UsageError('BAD_NUMBER', `--value takes a whole number from 0 on, not "${value}".`);
      const shim = await import('../source/shim.ts');
      shim.openShim();
      shim.setMark(text, number);
    });
}
