// Lines of a trace that are no events: headers, stacks, and what was lost.

export type Loss = { readonly cpu: number; readonly lost: number };

/** Events lost in front of the CPU's next one; -1 for a CPU or a number that the line doesn't say. */
export function readLoss(text: string): Loss | null {
  if (!text.includes('LOST') && !text.includes('DROPPED') && !/^(?:WARNING: )?Lost |^Processed /.test(text))
    return null;
  // ftrace: CPU:2 [LOST 12 EVENTS]; trace-cmd: CPU:2 [12 EVENTS DROPPED], CPU:2 [EVENTS DROPPED].
  const ftrace = /^\s{0,64}CPU:\s?(\d{1,5}) \[(?:LOST )?(?:(\d{1,15}) )?EVENTS(?: DROPPED)?\]\s{0,64}$/.exec(
    text,
  );
  if (ftrace) return { cpu: Number(ftrace[1]), lost: ftrace[2] === undefined ? -1 : Number(ftrace[2]) };
  // perf script --show-lost-events, in front of the event that follows on that CPU.
  const perf = /\[(\d{3,5})\].{0,64}PERF_RECORD_LOST(?:_SAMPLES)? lost (\d{1,15})$/.exec(text.slice(0, 256));
  if (perf) return { cpu: Number(perf[1]), lost: Number(perf[2]) };
  // What bpftrace and perf say on standard error.
  const said =
    /^(?:WARNING: )?Lost (\d{1,15}) events\s{0,64}$/.exec(text) ??
    /^Processed \d{1,15} events and lost (\d{1,15}) (?:chunks|samples)/.exec(text);
  return said ? { cpu: -1, lost: Number(said[1]) } : null;
}

/** Empty lines, comments and titles. */
export function isHeader(text: string): boolean {
  const first = text.trimStart()[0];
  if (first === undefined || first === '#') return true;
  return HEADERS.some((header) => header.test(text));
}

/** Why a line is no event, as far as it can be told. */
export function whyNoLine(text: string): string {
  const start = text.slice(0, 256);
  if (/^\s{0,32}\S[^[\]]{0,31}[\s/-]\d{1,10}\s{1,16}\d{1,15}\.\d{6,9}:\s/.test(start))
    return 'it names no CPU (perf script -F comm,pid,tid,cpu,time,event,trace prints all that is needed)';
  if (/^\s{0,32}\S.{0,40}[\s/-]\d{1,10}\s{1,16}\[\d{3,5}\]\s{1,16}[\w-]{1,64}:/.test(start))
    return 'it has no time (perf script -F comm,pid,tid,cpu,time,event,trace prints all that is needed)';
  return 'no line of a trace';
}

const HEADERS: readonly RegExp[] = [
  // trace-cmd report
  /^(?:version = \d{1,9}|cpus=\d{1,9}|CPU \d{1,9} is empty|trace-cmd version .{0,64}|\[tracing\(\d{1,9}\)\].{0,64})\s{0,8}$/,
  // perf script --show-task-events, --show-mmap-events, …
  /^.{1,96}\d: PERF_RECORD_(?!LOST)[A-Z_0-9]{1,32}/,
  // bpftrace
  /^(?:Attach(?:ing|ed) \d{1,9} probes?(?:\.\.\.)?|Tracing .{0,64}\.\.\.)\s{0,8}$/,
];

/** Lines of a stack, which follow the event that it belongs to: ftrace's and perf's. */
export function isStack(text: string): boolean {
  const start = text.slice(0, 256);
  return STACKS.some((form) => form.test(start));
}

const STACKS: readonly RegExp[] = [
  // ftrace's, trace-cmd's, perf's, bpftrace's
  /^ ?=> {1,2}\S/,
  /: <(?:user )?stack trace ?>\s{0,8}$/,
  /^\s{1,32}[0-9a-f]{6,16} \S/,
  /^\s{4,12}[\w.$]{1,128}\+\d{1,8}\s{0,8}$/,
];

/** What the header says of the machine and of what the trace's buffers have overwritten. */
export interface TraceFacts {
  cpus: number;
  release: string;
  machine: string;
  /** Events written less those in the buffers; 0 if nothing was overwritten or nothing is said. */
  overwritten: number;
  /** The kernel says where each CPU's buffer begins: only if something was overwritten. */
  wrapped: boolean;
}

export function createFacts(): TraceFacts {
  return { cpus: 0, release: '', machine: '', overwritten: 0, wrapped: false };
}

/** Takes in what a comment says. */
export function learnFacts(text: string, facts: TraceFacts): void {
  const entries =
    /^#\s{1,8}entries-in-buffer\/entries-written:\s{1,8}(\d{1,15})\/(\d{1,15})\s{1,8}#P:(\d{1,5})/.exec(text);
  if (entries) {
    facts.overwritten = Math.max(0, Number(entries[2]) - Number(entries[1]));
    facts.wrapped ||= facts.overwritten > 0;
    facts.cpus = Math.max(facts.cpus, Number(entries[3]));
  }
  if (/^##### CPU \d{1,5} buffer started ####/.test(text)) facts.wrapped = true;
  const cpus = /^(?:# nrcpus online : |cpus=)(\d{1,5})$/.exec(text)?.[1];
  if (cpus !== undefined) facts.cpus = Math.max(facts.cpus, Number(cpus));
  facts.release = /^# os release : ([\w.+-]{1,64})$/.exec(text)?.[1] ?? facts.release;
  facts.machine = /^# arch : ([\w.+-]{1,64})$/.exec(text)?.[1] ?? facts.machine;
}
