// What became of every line: events, markers, what is no event, and what could not be used and why.

import { escapeText } from './escape.ts';

/** Lines that could not be used, for one reason. */
export interface Problem {
  /** `no rule names the event sched_switch`. */
  readonly reason: string;
  readonly lines: number;
  /** The first few, in a form that may be shown. */
  readonly samples: readonly string[];
}

/** Every line is counted in one of these. */
export interface LineCounts {
  readonly lines: number;
  /** Probe events of which a rule made an event. */
  readonly events: number;
  /** Markers of which a rule made an event. */
  readonly markers: number;
  /** Empty lines, comments, titles, stacks. */
  readonly headers: number;
  /** Lines that tell of lost events. */
  readonly losses: number;
  /** What the mapping says is to be ignored. */
  readonly ignored: number;
  /** The sum of the problems' lines. */
  readonly unused: number;
}

const SAMPLES = 3;
/** Reasons told apart; those beyond are counted together. */
const REASONS_MAX = 200;
const BEYOND = 'other reasons';

export class Account {
  lines = 0;
  events = 0;
  markers = 0;
  headers = 0;
  losses = 0;
  ignored = 0;
  readonly #problems = new Map<string, { lines: number; samples: string[] }>();

  unused(reason: string, line: string): void {
    let problem = this.#problems.get(reason);
    if (problem === undefined) {
      const known = this.#problems.size < REASONS_MAX ? reason : BEYOND;
      problem = this.#problems.get(known) ?? { lines: 0, samples: [] };
      this.#problems.set(known, problem);
    }
    problem.lines++;
    if (problem.samples.length < SAMPLES) problem.samples.push(escapeText(line));
  }

  /** Most lines first. */
  get problems(): readonly Problem[] {
    return [...this.#problems]
      .map(([reason, { lines, samples }]) => ({ reason: escapeText(reason), lines, samples }))
      .sort((a, b) => b.lines - a.lines);
  }

  get counts(): LineCounts {
    const { lines, events, markers, headers, losses, ignored } = this;
    const unused = this.problems.reduce((sum, problem) => sum + problem.lines, 0);
    return { lines, events, markers, headers, losses, ignored, unused };
  }
}
