// Runs the recorder for a person or a script: signals, the line "armed", logs, and the exit status.

import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { pino } from 'pino';
import { INVARIANTS } from '../generated/invariants.ts';
import { PROBE_PATHS } from '../generated/probes.ts';
import { EXIT, UsageError } from '../model/errors.ts';
import type { Violation } from '../model/violation.ts';
import type { RecordOptions } from '../record/options.ts';
import { type Recorder, type RecordSummary, record } from '../record/record.ts';
import { createPalette, type Palette } from '../report/palette.ts';
import { formatCount, formatSpan } from '../report/span.ts';
import { nextCommands, violationText } from '../report/violation.ts';
import { wantsColour } from './colour.ts';
import { parseDuration } from './duration.ts';
import { unknownWord } from './nearest.ts';

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
  readonly attach?: 'fentry' | 'kprobe';
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
function parseInvariants(text: string): { invariants: string[]; modules: string[] } {
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
  const path = `/run/netns/${text}`;
  if (!existsSync(path)) throw new UsageError('NO_NETNS', `There is no network namespace "${text}": "ip netns list" names them.`);
  return path;
}

function optionsOf(flags: RecordFlags): RecordOptions {
  if (flags.last !== undefined && flags.before !== undefined)
    throw new UsageError('TWO_WINDOWS', '--last and --before both say what to keep: give one of them.');
  return {
    ...(flags.paths === undefined ? {} : { paths: parsePaths(flags.paths) }),
    ...(flags.invariants === undefined ? {} : parseInvariants(flags.invariants)),
    ...(flags.last === undefined ? {} : { lastEvents: wholeNumber(flags.last, '--last') }),
    ...(flags.before === undefined ? {} : { beforeNs: parseDuration(flags.before, '--before') }),
    ...(flags.after === undefined ? {} : { afterNs: parseDuration(flags.after, '--after') }),
    out: flags.out,
    once: flags.once ?? false,
    freezeOn: flags.freezeOn,
    exportOnStop: flags.onExit === 'export',
    tripwires: flags.tripwires,
    dropPrivileges: true,
    ...(flags.attach === undefined ? {} : { attach: flags.attach }),
    ...(flags.netns === undefined ? {} : { netns: netnsPath(flags.netns) }),
    ...(flags.ifname === undefined ? {} : { ifname: flags.ifname }),
    ...(flags.pid === undefined ? {} : { pid: wholeNumber(flags.pid, '--pid') }),
    ...(flags.comm === undefined ? {} : { comm: flags.comm }),
  };
}

/** Logs go to standard error: for a person on a terminal, as NDJSON otherwise. */
async function createLog(colour: boolean): Promise<pino.Logger> {
  if (!process.stderr.isTTY) return pino({ name: 'flightring' }, pino.destination({ fd: 2, sync: true }));
  const { default: pretty } = await import('pino-pretty');
  return pino(pretty({ colorize: colour, ignore: 'pid,hostname,name', translateTime: 'SYS:HH:MM:ss.l', sync: true, destination: 2 }));
}

/** What happens, for standard output: sentences, or JSON lines. */
class Teller {
  readonly #json: boolean;
  readonly #palette: Palette;
  #told = 0;

  constructor(json: boolean, palette: Palette) {
    this.#json = json;
    this.#palette = palette;
  }

  event(event: string, facts: Record<string, unknown> = {}): void {
    if (this.#json) process.stdout.write(`${JSON.stringify({ event, ...facts })}\n`);
  }

  armed(facts: Record<string, unknown>): void {
    if (this.#json) this.event('armed', facts);
    else process.stdout.write('armed\n');
  }

  /** The first of each batch whole, and no more than a screenful. */
  violations(found: readonly Violation[]): void {
    for (const violation of found) {
      this.event('violation', { ...violation });
      if (this.#json) continue;
      const [headline, , sentence] = violationText(violation, { palette: this.#palette });
      if (this.#told++ < 20) process.stdout.write(`${headline}\n${sentence}\n`);
    }
  }

  recording(violations: readonly Violation[], path: string, sentence: string): void {
    if (this.#json) return;
    process.stdout.write(`${sentence}\n`);
    const first = violations[0];
    if (first) process.stdout.write(`${nextCommands(first, path).map((command) => `  ${command}`).join('\n')}\n`);
  }
}

export async function runRecord(flags: RecordFlags): Promise<void> {
  const options = optionsOf(flags);
  const forNs = flags.for === undefined ? null : parseDuration(flags.for, '--for');
  const colour = wantsColour(process.stdout, flags.color);
  const log = await createLog(colour);
  const teller = new Teller(flags.json ?? false, createPalette(colour));
  const recorder = await record(options);
  listen(recorder, log, teller);
  const absent = recorder.coverage.filter(({ status }) => status !== 'attached');
  for (const probe of absent) log.warn({ probe: probe.probe, status: probe.status, reason: probe.reason }, `${probe.probe} is not recorded`);
  teller.armed({ out: recorder.out, slots: recorder.slots, probes: recorder.coverage.length - absent.length, absent: absent.length });
  if (flags.readyFile !== undefined) writeFileSync(flags.readyFile, `${process.pid}\n`);
  log.info({ slots: recorder.slots, probes: recorder.coverage.length - absent.length }, 'armed');

  const stop = () => void recorder.stop();
  process.on('SIGUSR1', () => recorder.freeze());
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  if (forNs !== null) setTimeout(stop, forNs / 1e6).unref();
  // A signal alone doesn't keep the event loop alive; the checker's thread does.
  const summary = await recorder.done;
  if (flags.readyFile !== undefined) rmSync(flags.readyFile, { force: true });
  tellEnd(summary, log, teller);
}

function listen(recorder: Recorder, log: pino.Logger, teller: Teller): void {
  recorder.on('violations', (violations, { windowless }) => {
    teller.violations(violations);
    for (const v of violations)
      log[v.severity === 'violation' ? 'error' : 'warn']({ invariant: v.invariant, object: v.object, cpu: v.at.cpu, seq: v.at.seq }, v.sentence);
    if (windowless) log.warn('both banks are in use: this violation gets no recording of its own');
  });
  recorder.on('frozen', ({ cause, path, latencyNs }) => {
    teller.event('frozen', { cause, path, latencyNs });
    log.info({ cause, latencyNs }, 'frozen');
  });
  recorder.on('saved', ({ path, ms }) => log.info({ path, ms: Math.round(ms) }, 'the frozen events are safe on disk'));
  recorder.on('exported', (exported) => {
    const { path, rows, violations, latencyNs, exportedMs } = exported;
    teller.event('recording', { path, rows, cause: exported.cause, latencyNs, violations: violations.length });
    teller.recording(
      violations,
      path,
      `recording: ${path} (${formatCount(rows)} events${latencyNs === null ? '' : `, frozen ${formatSpan(latencyNs)} after the event`})`,
    );
    log.info({ path, rows, ms: Math.round(exportedMs) }, 'exported');
  });
  recorder.on('failed', ({ message, raw }) => {
    teller.event('failed', { message, raw });
    log.error({ raw }, message);
  });
  recorder.on('unconfirmed', () => log.warn('a check in the kernel froze the rings, and no invariant agreed: recording goes on'));
}

function tellEnd(summary: RecordSummary, log: pino.Logger, teller: Teller): void {
  const { events, violations, warnings, lost, recursionMisses, objectsDropped, unseen, windowless } = summary;
  const facts = { events, violations, warnings, lost, recursionMisses, objectsDropped, unseen, windowless };
  teller.event('end', { ...facts, recordings: summary.recordings.map(({ path }) => path), counts: summary.counts });
  log.info({ ...facts, recordings: summary.recordings.length }, 'ended');
  const missing = lost + recursionMisses + objectsDropped + unseen;
  if (summary.failures.length > 0) process.exitCode = EXIT.badInput;
  else if (violations > 0) process.exitCode = EXIT.violation;
  else if (missing > 0) process.exitCode = EXIT.incomplete;
}
