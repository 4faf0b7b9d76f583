// flightring doctor: what can be recorded here, and what keeps the rest from being recorded.

import { Command } from 'commander';
import type { DoctorFlags } from './doctor-run.ts';

export function doctorCommand(): Command {
  return new Command('doctor')
    .description(
      'say what this kernel, its BTF, its lockdown and these privileges allow: for each probe how it attaches, or why it does not; nothing is recorded',
    )
    .option('--json', 'as JSON')
    .option('--no-color', 'plain text on a terminal, too')
    .addHelpText('after', '\nExit status: 0 if something can be recorded, 3 if nothing can.')
    .action(async (flags: DoctorFlags) => {
      process.exitCode = await (await import('./doctor-run.ts')).runDoctor(flags);
    });
}
