// Runs the recorder for a person or a script: options, signals, the line "armed", and the exit status.

import { accessSync, constants, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PROBE_PATHS } from '../generated/probes.ts';
import { EXIT, UsageError } from '../model/errors.ts';
import type { RecordOptions } from '../record/options.ts';
import { type Recorder, record } from '../record/record.ts';
import { parseSpan } from '../report/duration.ts';
import { unknownWord } from './nearest.ts';
import type { Teller } from './record-tell.ts';

/** Where `ip netns` keeps its namespaces. */
const NETNS_NAMES = '/run/netns';

export interface RecordFlags {
  readonly paths?: string;
  readonly invariants?: string;
  readonly last?: string;
  readonly before?: string;
  readonly after?: string;
  readonly out: string;
  readonly once?: boolean;
  readonly freezeOn: 'violation' | 'warning' | 'none';
  readonly onExit: 'discard' | 'export';
  readonly for?: string;
  readonly netns?: string;
  readonly ifname?: string;
  readonly pid?: string;
  readonly comm?: string;
  readonly snaplen?: string;
  readonly attach?: 'fentry' | 'kprobe';
  readonly mark?: readonly string[];
  readonly tripwires: boolean;
  readonly readyFile?: string;
  readonly json?: boolean;
  readonly color: boolean;
}

function wholeNumber(text: string, option: string, least = 1): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least)
    throw new UsageError('BAD_NUMBER', `${option} takes a whole number from ${least} on, not "${text}".`);
  return value;
}

function parsePaths(text: string): string[] {
  const known = PROBE_PATHS.map(({ path }) => path).filter((path) => path !== 'task');
  const paths = text.split(',').map((word) => word.trim());
  for (const path of paths) if (!known.includes(path)) throw unknownWord('path', path, known);
  return paths;
}

/** Names, whole paths (`xsk`), and modules, which are told by a slash or an ending. */
async function parseInvariants(text: string): Promise<{ invariants: string[]; modules: string[] }> {
  const { INVARIANTS } = await import('../generated/invariants.ts');
  const names = INVARIANTS.map(({ name }) => name);
  const invariants: string[] = [];
  const modules: string[] = [];
  for (const word of text.split(',').map((part) => part.trim())) {
    const ofPath = names.filter((name) => name.startsWith(`${word}.`));
    if (/[/\\]|\.(ts|js|mjs|cjs)$/.test(word)) modules.push(word);
    else if (names.includes(word)) invariants.push(word);
    else if (ofPath.length > 0) invariants.push(...ofPath);
    else throw unknownWord('invariant', word, names);
  }
  return { invariants, modules };
}

/** A namespace as a path: given as one, by process id, or by its name under /run/netns. */
function netnsPath(text: string): string {
  if (text.includes('/')) return text;
  if (/^\d+$/.test(text)) return `/proc/${text}/ns/net`;
  const path = join(NETNS_NAMES, text);
  if (!existsSync(path))
    throw unknownWord('network namespace', text, existsSync(NETNS_NAMES) ? readdirSync(NETNS_NAMES) : []);
  return path;
}

async function optionsOf(flags: RecordFlags): Promise<RecordOptions> {
  if (flags.last !== undefined && flags.before !== undefined)
    throw new UsageError('TWO_WINDOWS', '--last and --before both say what to keep: give one of them.');
  return {
    ...(flags.paths === undefined ? {} : { paths: parsePaths(flags.paths) }),
    ...(flags.invariants === undefined ? {} : await parseInvariants(flags.invariants)),
    ...(flags.last === undefined ? {} : { lastEvents: wholeNumber(flags.last, '--last') }),
    ...(flags.before === undefined ? {} : { beforeNs: parseSpan(flags.before, '--before') }),
    ...(flags.after === undefined ? {} : { afterNs: parseSpan(flags.after, '--after') }),
    out: flags.out,
    once: flags.once ?? false,
    freezeOn: flags.freezeOn,
    exportOnStop: flags.onExit === 'export',
    tripwires: flags.tripwires,
    dropPrivileges: true,
    ...(flags.attach === undefined ? {} : { attach: flags.attach }),
    ...(flags.mark === undefined ? {} : { marks: flags.mark }),
    ...(flags.netns === undefined ? {} : { netns: netnsPath(flags.netns) }),
    ...(flags.ifname === undefined ? {} : { ifname: flags.ifname }),
    ...(flags.pid === undefined ? {} : { pid: wholeNumber(flags.pid, '--pid') }),
    ...(flags.comm === undefined ? {} : { comm: flags.comm }),
    ...(flags.snaplen === undefined ? {} : { snaplen: wholeNumber(flags.snaplen, '--snaplen', 0) }),
  };
}

export async function runRecord(flags: RecordFlags): Promise<void> {
  const options = await optionsOf(flags);
  const forNs = flags.for === undefined ? null : parseSpan(flags.for, '--for');
  if (flags.readyFile !== undefined) checkReadyFile(flags.readyFile);
  let teller: Teller | null = null;
  const recorder = await record(options, async (armed) => {
    const stop = () => void armed.stop();
    process.on('SIGUSR1', () => armed.freeze());
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
    if (forNs !== null) setTimeout(stop, forNs / 1e6).unref();
    tellArmed(armed, flags);
    // What only prints is loaded once events are recorded.
    const { createTeller } = await import('./record-tell.ts');
    teller = await createTeller(armed, { json: flags.json ?? false, color: flags.color });
  });
  if (options.invariants === undefined) {
    const { invariantsLeftOut } = await import('../record/choose-invariants.ts');
    const paths = recorder.coverage.map(({ path }) => path);
    (teller as Teller | null)?.leftOut(invariantsLeftOut(paths));
  }
  const summary = await recorder.done;
  if (flags.readyFile !== undefined) rmSync(flags.readyFile, { force: true });
  (teller as Teller | null)?.end(summary);
  const missing = summary.lost + summary.recursionMisses + summary.objectsDropped + summary.unseen;
  if (summary.failures.length > 0) process.exitCode = EXIT.badInput;
  else if (summary.violations > 0) process.exitCode = EXIT.violation;
  else if (missing > 0) process.exitCode = EXIT.incomplete;
}

/** Said before anything is recorded. */
function checkReadyFile(file: string): void {
  try {
    accessSync(dirname(file), constants.W_OK);
    if (existsSync(file)) accessSync(file, constants.W_OK);
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code;
    throw new UsageError('BAD_READY_FILE', `--ready-file ${file} can't be written: ${why}.`, { cause });
  }
}

/** Scripts wait for this line or file. */
function tellArmed(recorder: Recorder, flags: RecordFlags): void {
  const probes = recorder.coverage.filter(({ status }) => status === 'attached').length;
  const facts = {
    event: 'armed',
    out: recorder.out,
    slots: recorder.slots,
    shares: Object.fromEntries(
      recorder.shares.filter(({ slots }) => slots > 0).map(({ path, slots }) => [path, slots]),
    ),
    probes,
    absent: recorder.coverage.length - probes,
  };
  process.stdout.write(flags.json ? `${JSON.stringify(facts)}\n` : 'armed\n');
  if (flags.readyFile !== undefined) writeFileSync(flags.readyFile, `${process.pid}\n`);
}
