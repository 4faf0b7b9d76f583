// What the demo is doing: a spinner with the time on a terminal, plain lines elsewhere; never silent for long.

import { performance } from 'node:perf_hooks';
import type { Palette } from '../src/report/palette.ts';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const SPIN_MS = 100;
const STILL_MS = 2500;
/** What stands around the step: the spinner, and up to 999.9 s. */
const REST_OF_LINE = 14;

export class Progress {
  readonly #palette: Palette;
  readonly #out: NodeJS.WriteStream;
  #timer: NodeJS.Timeout | undefined;
  #what = '';
  #started = 0;
  #turns = 0;

  constructor(palette: Palette, out: NodeJS.WriteStream) {
    this.#palette = palette;
    this.#out = out;
  }

  /** Ends the step before and begins this one. */
  begin(what: string): void {
    this.done();
    this.#what = what;
    this.#started = performance.now();
    const terminal = this.#out.isTTY;
    if (!terminal) this.#out.write(`demo: ${what}\n`);
    this.#timer = setInterval(() => this.#tell(), terminal ? SPIN_MS : STILL_MS);
  }

  /** Ends the step, if one is under way. */
  done(result = this.#what): void {
    if (this.#stop() && this.#out.isTTY)
      this.#out.write(`  ${result}  ${this.#palette.dim(this.#seconds())}\n`);
  }

  /** Ends the step without a word: the error says the rest. */
  fail(): void {
    this.#stop();
  }

  #stop(): boolean {
    if (this.#timer === undefined) return false;
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (this.#out.isTTY) this.#out.write('\r\x1b[K');
    return true;
  }

  #tell(): void {
    if (this.#out.isTTY) {
      const frame = FRAMES[this.#turns++ % FRAMES.length];
      // A line that wraps could not be wiped.
      const what = this.#what.slice(0, Math.max(8, this.#out.columns - REST_OF_LINE));
      this.#out.write(`\r\x1b[K${frame} ${what} … ${this.#palette.dim(this.#seconds())}`);
    } else this.#out.write(`demo:   … ${this.#seconds()}\n`);
  }

  #seconds(): string {
    return `${((performance.now() - this.#started) / 1000).toFixed(1)} s`;
  }
}
