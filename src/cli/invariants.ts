// flightring invariants: what each one claims, its legal moves as a table and as a graph.

import { Command } from 'commander';
import type { InvariantsOptions } from './invariants-run.ts';

export function invariantsCommand(): Command {
  return new Command('invariants')
    .description(
      'list the invariants, or say what one of them claims, which events it needs and which moves are legal',
    )
    .argument('[name]', 'for example xsk.ownership')
    .option('--format <format>', 'text, json, mermaid or dot', 'text')
    .option('--no-color', 'plain text on a terminal, too')
    .action(async (name: string | undefined, options: InvariantsOptions) =>
      (await import('./invariants-run.ts')).showInvariants(name, options),
    );
}
