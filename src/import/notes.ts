// What a recording made of a text trace says of its origin, and of what in it is not the trace's own.

import { VERSION } from '../generated/version.ts';
import { escapeText } from './escape.ts';
import type { Mapping } from './mapping.ts';
import type { Port } from './objects.ts';
import type { TraceReader } from './reader.ts';

export function importNotes(
  mapping: Mapping,
  reader: TraceReader,
  resolved: ReadonlyMap<Port, Port>,
  source: string,
): string[] {
  const { account, objects, facts, unit, lost, threads } = reader;
  const { lines, events, markers, ignored } = account.counts;
  const notes = [
    `imported from ${escapeText(source)}, ${reader.describeFormat()}, by the mapping ${escapeText(mapping.name)} of flightring ${VERSION}: ${lines} lines, ${events} events and ${markers} markers${ignored > 0 ? `, ${ignored} ignored by the mapping` : ''}`,
    'the verdict in it was found by the import, on exactly these events',
    'the trace says neither which clock it used nor the time of day: the latter is that of the file',
  ];
  if (unit > 1)
    notes.push(
      `times are exact to ${unit} ns: events of one printed time stand in the order of the file, a nanosecond apart`,
    );
  for (const { reason, lines: count, samples } of account.problems.slice(0, 10))
    notes.push(`${count} lines not used: ${reason}; ${samples.map((sample) => `"${sample}"`).join(', ')}`);
  if (account.problems.length > 10)
    notes.push(`more lines were not used for ${account.problems.length - 10} other reasons`);
  if (lost > 0) notes.push(`the trace says that ${lost} events or more were lost`);
  if (facts.wrapped && facts.overwritten > 0)
    notes.push(`${facts.overwritten} older events had been overwritten before the trace was read`);
  if (threads.left > 0) notes.push(`${threads.left} changes of threads' names were not kept`);
  if (objects.usesUmem && objects.isLearned)
    notes.push(
      `the umem is taken to be of ${objects.chunkSize}-byte chunks and ${objects.size} bytes, from the addresses in the trace`,
    );
  for (const [port, to] of resolved) {
    if (port.pointer === null || port === to) continue;
    const votes = port.votes.get(to) ?? 0;
    notes.push(
      `socket ${port.pointer} is taken for ${escapeText(to.device)} q${to.queueNumber}, which got what was received into it ${votes} times`,
    );
  }
  if (objects.ports.length > 0)
    notes.push('positions in rings are counted, and numbers of devices made up, where the trace has none');
  return notes;
}
