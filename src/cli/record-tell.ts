// What a running recorder tells: sentences or JSON lines on standard output, logs on standard error.

import type { Logger } from 'pino';
import { pino } from 'pino';
import type { Violation } from '../model/violation.ts';
import type { Recorder, RecordSummary } from '../record/record.ts';
import { costLines } from '../report/costs.ts';
import { createPalette, type Palette } from '../report/palette.ts';
import { formatCount, formatSpan, plural } from '../report/span.ts';
import { nextCommands, violationText } from '../report/violation.ts';
import { wantsColour } from './colour.ts';

export interface TellOptions {
  readonly json: boolean;
  readonly color: boolean;
}

/** Violations that a person is told of one by one; the rest are in the recordings. */
const TOLD_MAX = 20;

/** For a person on a terminal, as NDJSON otherwise. */
async function createLog(colour: boolean): Promise<Logger> {
  if (!process.stderr.isTTY) return pino({ name: 'flightring' }, pino.destination({ fd: 2, sync: true }));
  const { default: pretty } = await import('pino-pretty');
  return pino(
    pretty({
      colorize: colour,
      ignore: 'pid,hostname,name',
      translateTime: 'SYS:HH:MM:ss.l',
      sync: true,
      destination: 2,
    }),
  );
}

/** Listens to the recorder from now on. */
export async function createTeller(recorder: Recorder, options: TellOptions): Promise<Teller> {
  const colour = wantsColour(process.stdout, options.color);
  return new Teller(recorder, options.json, createPalette(colour), await createLog(colour));
}

export class Teller {
  readonly #json: boolean;
  readonly #palette: Palette;
  readonly #log: Logger;
  #told = 0;

  constructor(recorder: Recorder, json: boolean, palette: Palette, log: Logger) {
    this.#json = json;
    this.#palette = palette;
    this.#log = log;
    const absent = recorder.coverage.filter(({ status }) => status !== 'attached');
    // A kernel without fentry and kprobes refuses most probes for the same reason.
    const alike = new Map<
      string,
      { path: string; status: string; reason: string | null; probes: string[] }
    >();
    for (const { probe, path, status, reason } of absent) {
      const key = `${path} ${status} ${reason}`;
      const group = alike.get(key) ?? { path, status, reason, probes: [] };
      group.probes.push(probe);
      alike.set(key, group);
    }
    for (const { path, status, reason, probes } of alike.values())
      log.warn(
        { path, status, reason, probes: probes.join(' ') },
        `${plural(probes.length, 'probe')} of ${path} not attached: "flightring doctor" says what is lost`,
      );
    log.info({ slots: recorder.slots, probes: recorder.coverage.length - absent.length }, 'armed');
    this.#listen(recorder);
  }

  #listen(recorder: Recorder): void {
    const log = this.#log;
    recorder.on('violations', (violations, { windowless }) => {
      for (const violation of violations) this.#violation(violation);
      if (windowless) log.warn('both banks are in use: this violation gets no recording of its own');
    });
    recorder.on('frozen', ({ cause, path, latencyNs }) => {
      this.#event('frozen', { cause, path, latencyNs });
      log.info({ cause, latencyNs }, 'frozen');
    });
    recorder.on('saved', ({ path, ms }) =>
      log.info({ path, ms: Math.round(ms) }, 'the frozen events are safe on disk'),
    );
    recorder.on('exported', ({ path, rows, cause, violations, latencyNs, exportedMs }) => {
      this.#event('recording', { path, rows, cause, latencyNs, violations: violations.length });
      const latency = latencyNs === null ? '' : `, frozen ${formatSpan(latencyNs)} after the event`;
      this.#say(`recording: ${path} (${formatCount(rows)} events${latency})`);
      const first = violations[0];
      if (first) for (const command of nextCommands(first, path)) this.#say(`  ${command}`);
      log.info({ path, rows, ms: Math.round(exportedMs) }, 'exported');
    });
    recorder.on('failed', ({ message, raw }) => {
      this.#event('failed', { message, raw });
      log.error({ raw }, message);
    });
    recorder.on('snapshot', ({ records, notes }) => {
      this.#event('snapshot', { records, notes });
      log.info({ records }, 'what existed before is known');
      for (const note of notes) log.warn(`snapshot: ${note}`);
    });
    recorder.on('unconfirmed', () =>
      log.warn('a check in the kernel froze the rings, and no invariant agreed: recording goes on'),
    );
  }

  /** Invariants that these paths are not enough for. */
  leftOut(invariants: readonly { readonly name: string; readonly missing: readonly string[] }[]): void {
    for (const { name, missing } of invariants)
      this.#log.info(
        { invariant: name, missing },
        `${name} is not checked: it needs the events of ${missing.join(' and ')}, too`,
      );
  }

  end(summary: RecordSummary): void {
    const { events, violations, warnings, lost, recursionMisses, objectsDropped, unseen, windowless } =
      summary;
    const facts = { events, violations, warnings, lost, recursionMisses, objectsDropped, unseen, windowless };
    this.#event('end', {
      ...facts,
      lostOf: summary.lostOf,
      recordings: summary.recordings.map(({ path }) => path),
      counts: summary.counts,
      costs: summary.costs,
    });
    for (const line of costLines(summary.costs)) this.#say(line);
    this.#log.info({ ...facts, recordings: summary.recordings.length }, 'ended');
  }

  #event(event: string, facts: Record<string, unknown>): void {
    if (this.#json) process.stdout.write(`${JSON.stringify({ event, ...facts })}\n`);
  }

  #say(sentence: string): void {
    if (!this.#json) process.stdout.write(`${sentence}\n`);
  }

  #violation(violation: Violation): void {
    this.#event('violation', { ...violation });
    const { invariant, object, at, sentence } = violation;
    const level = violation.severity === 'violation' ? 'error' : 'warn';
    this.#log[level]({ invariant, object, cpu: at.cpu, seq: at.seq }, sentence);
    const [headline, , words] = violationText(violation, { palette: this.#palette });
    if (this.#told++ < TOLD_MAX) this.#say(`${headline}\n${words}`);
  }
}
