// The options by which show and export choose events.

import type { Command } from 'commander';

/** `until` is the name of the option for the end: where another one is called --to, it can't be that. */
export function addEventOptions(command: Command, until: '--to' | '--until'): Command {
  return command
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
    .option(`${until} <time>`, 'until this time, relative to the same');
}
