// flightring lab: a stock Debian kernel in QEMU on this machine's own files.

import { Command } from 'commander';
import type { LabFlags } from './lab-run.ts';
import { labStoryCommand } from './lab-story.ts';

export function labCommand(): Command {
  return (
    new Command('lab')
      .description(
        "boot a stock Debian kernel in QEMU on this machine's files (changes stay in the lab) and run a command in it, in this folder; its output and exit status are this command's",
      )
      .argument(
        '[command...]',
        'the command and its arguments, after --; `prepare` alone only fetches the kernel, `kernels` lists those there are',
      )
      .option(
        '--kernel <version>',
        'a version such as 6.1, of any Debian release, or newest; default: what this release ships',
      )
      .option('--cpus <number>', 'CPUs of the lab', '3')
      .option('--memory <MiB>', 'its memory', '2048')
      .option('--module <names>', 'kernel modules to load first, with commas between them, for example veth')
      .option('--timeout <time>', 'give the command so long', '3600s')
      .addHelpText(
        'after',
        `
Examples:
  flightring lab prepare                       fetch the kernel (about 70 MB), to be ready later
  flightring lab -- flightring doctor          what this kernel allows
  flightring lab --kernel 6.12 -- flightring doctor
  flightring lab kernels                       all kernels that can be fetched
  flightring lab --module veth -- ./my-test.sh
  flightring lab run                           stories of faults, to be run on that kernel

FLIGHTRING_SHARE names a folder in the lab whose contents this machine sees; with --share, it is one of yours.`,
      )
      // Both have --kernel.
      .enablePositionalOptions()
      .addCommand(labStoryCommand())
      .option('--share <folder>', 'a folder of this machine that the lab may write to, as $FLIGHTRING_SHARE')
      .action(async (words: string[], flags: LabFlags) => {
        process.exitCode = await (await import('./lab-run.ts')).runLab(words, flags);
      })
  );
}
