// The text form of /sys/kernel/tracing/trace, for what reads ftrace: scripts, and flightring import.

import type { EventView } from '../decode/event-view.ts';
import type { RecordingMeta } from '../model/recording.ts';
import { GAP_KIND, SNAPSHOT_CPU } from '../model/slot.ts';
import type { Violation } from '../model/violation.ts';
import { addFacts } from '../report/event-json.ts';
import { flagWords } from '../report/fields.ts';
import { printable } from '../report/printable.ts';
import { formatSeconds } from '../report/span.ts';
import { inPieces } from './pieces.ts';
import type { ExportSource } from './source.ts';

export function exportFtrace(source: ExportSource): Generator<Uint8Array, void, undefined> {
  return inPieces(lines(source));
}

function* lines(source: ExportSource): Generator<string, void, undefined> {
  yield* header(source);
  for (const { event, violations } of source.events()) {
    yield event.kindNumber === GAP_KIND ? lostLine(event) : eventLine(event, source);
    for (const violation of violations) yield violationLine(violation);
  }
}

/** kernel/trace/trace.c: print_trace_header() and print_func_help_header_irq(). */
function header({ input, meta }: ExportSource): string[] {
  const events = input.rows - (meta.snapshot?.records ?? 0);
  return [
    '# tracer: nop\n',
    '#\n',
    `# entries-in-buffer/entries-written: ${events}/${writtenOf(meta, events)}   #P:${meta.kernel.cpus}\n`,
    '#\n',
    '#                                _-----=> irqs-off/BH-disabled\n',
    '#                               / _----=> need-resched\n',
    '#                              | / _---=> hardirq/softirq\n',
    '#                              || / _--=> preempt-depth\n',
    '#                              ||| / _-=> migrate-disable\n',
    '#                              |||| /     delay\n',
    '#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION\n',
    '#              | |         |   |||||     |         |\n',
  ];
}

function writtenOf({ freeze, loss }: RecordingMeta, events: number): number {
  if (!freeze) return events + loss.overwritten;
  return freeze.window.reduce((sum, one) => sum + one.events + one.overwritten, 0);
}

/** Of the five flags in front of the time nothing was recorded. */
const NO_FLAGS = '.....';

function eventLine(event: EventView, source: ExportSource): string {
  const { tid, ts, cpu } = event;
  const fields = fieldsOf(event, source);
  const text = `${formatSeconds(ts).padStart(12)}: ${event.kind}:${fields}\n`;
  // Nobody did what was there before, on no CPU.
  if (cpu === SNAPSHOT_CPU) return `# existed before: ${text.trimStart()}`;
  const comm = printable(source.threads.at(tid, ts)).padStart(16);
  return `${comm}-${String(tid).padEnd(7)} [${String(cpu).padStart(3, '0')}] ${NO_FLAGS} ${text}`;
}

function fieldsOf(event: EventView, { objects }: ExportSource): string {
  const facts: Record<string, unknown> = {};
  addFacts(facts, event, objects);
  let text = '';
  for (const name in facts) {
    const value = facts[name];
    text += ` ${name}=${typeof value === 'string' ? word(value) : String(value)}`;
  }
  const flags = flagWords(event);
  return flags.length > 0 ? `${text} flags=${flags.join(',')}` : text;
}

/** As kprobe events print strings: in quotation marks, unless it is a single word. */
function word(text: string): string {
  return /^[\w.:/@,+-]+$/.test(text) ? text : JSON.stringify(printable(text));
}

/** kernel/trace/trace.c: print_trace_fmt() says so where entries were lost. */
function lostLine(gap: EventView): string {
  const lost = gap.u64('lost');
  return lost === 0n ? `CPU:${gap.cpu} [LOST EVENTS]\n` : `CPU:${gap.cpu} [LOST ${lost} EVENTS]\n`;
}

function violationLine({ invariant, severity, sentence }: Violation): string {
  return `# ${severity} of ${invariant}: ${printable(sentence)}\n`;
}
