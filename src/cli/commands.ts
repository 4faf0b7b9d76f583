// The commands: a name and a sentence each, and where the rest is; a command's module is loaded only when it is used.

import type { Command } from 'commander';

export interface CommandEntry {
  readonly name: string;
  readonly group: string;
  readonly summary: string;
  load(): Promise<Command>;
}

const GROUPS = {
  kernel: 'On a running kernel:',
  files: 'On recordings:',
  learn: 'To learn and to try:',
} as const;

/** Where help on help is listed. */
export const HELP_GROUP = GROUPS.learn;

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'doctor',
    group: GROUPS.kernel,
    summary: 'what this kernel and these privileges allow, probe by probe',
    load: async () => (await import('./doctor.ts')).doctorCommand(),
  },
  {
    name: 'record',
    group: GROUPS.kernel,
    summary: 'follow events until an invariant breaks, and keep what led to it',
    load: async () => (await import('./record.ts')).recordCommand(),
  },
  {
    name: 'mark',
    group: GROUPS.kernel,
    summary: 'set a mark of your own in the timeline that is recorded',
    load: async () => (await import('./mark.ts')).markCommand(),
  },
  {
    name: 'check',
    group: GROUPS.files,
    summary: 'replay recordings through the invariants; exit status 1 on a violation',
    load: async () => (await import('./check.ts')).checkCommand(),
  },
  {
    name: 'show',
    group: GROUPS.files,
    summary: 'print a recording as a trace, or the life of one object in it',
    load: async () => (await import('./show.ts')).showCommand(),
  },
  {
    name: 'report',
    group: GROUPS.files,
    summary: 'write a recording as one HTML page that opens from disk',
    load: async () => (await import('./report.ts')).reportCommand(),
  },
  {
    name: 'diff',
    group: GROUPS.files,
    summary: 'which rates, moves, latencies and verdicts of two recordings differ, most different first',
    load: async () => (await import('./diff.ts')).diffCommand(),
  },
  {
    name: 'explain',
    group: GROUPS.files,
    summary: 'the events that had to happen for a violation, and what was expected instead',
    load: async () => (await import('./explain.ts')).explainCommand(),
  },
  {
    name: 'query',
    group: GROUPS.files,
    summary: 'ask one recording or thousands in SQL, or by ready-made questions',
    load: async () => (await import('./query.ts')).queryCommand(),
  },
  {
    name: 'shrink',
    group: GROUPS.files,
    summary: 'leave out all that a violation does not need; the rest is a recording, or a test case',
    load: async () => (await import('./shrink.ts')).shrinkCommand(),
  },
  {
    name: 'export',
    group: GROUPS.files,
    summary: 'write a recording for Perfetto, Arrow, CSV, ftrace, Wireshark and others',
    load: async () => (await import('./export.ts')).exportCommand(),
  },
  {
    name: 'import',
    group: GROUPS.files,
    summary: 'make a recording of the text of ftrace, trace-cmd, perf or bpftrace',
    load: async () => (await import('./import.ts')).importCommand(),
  },
  {
    name: 'invariants',
    group: GROUPS.learn,
    summary: 'what each invariant claims, its legal moves and where it comes from',
    load: async () => (await import('./invariants.ts')).invariantsCommand(),
  },
  {
    name: 'lab',
    group: GROUPS.learn,
    summary: "run a command on a stock Debian kernel in QEMU, on this machine's files",
    load: async () => (await import('./lab.ts')).labCommand(),
  },
];
