// flightring lab run: a story or a scenario of the lab, from its fault to the recording of it.

import { Command } from 'commander';
import type { StoryFlags } from './lab-story-run.ts';

export function labStoryCommand(): Command {
  return new Command('run')
    .description(
      'run a story (all its scenarios) or one scenario in the lab: a real fault on a real kernel, the invariant that it breaks, and the recording of it; without a name, list them',
    )
    .argument('[name]', 'a story or a scenario')
    .option('--out <folder>', 'where the recordings go', 'flightring-lab')
    .option('--kernel <version>', 'a version such as 6.1; default: what this Debian release ships')
    .option('--json', 'one JSON object per scenario and line')
    .option('--no-color', 'plain text on a terminal, too')
    .addHelpText(
      'after',
      '\nExit status: 0 every scenario did what it should (a healthy one: nothing), 1 one did not.',
    )
    .action(async (name: string | undefined, _: StoryFlags, command: Command) => {
      // --kernel is an option of `lab`, too, which takes it wherever it stands.
      const flags = command.optsWithGlobals<StoryFlags>();
      process.exitCode = await (await import('./lab-story-run.ts')).runStory(name, flags);
    });
}
