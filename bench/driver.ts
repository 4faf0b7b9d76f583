// Talks to build/bench/driver: what must run outside JavaScript, one command and one answer at a time.

import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const BUILD = join(import.meta.dirname, '../build/bench');

/** What one pinned thread of the driver did. */
export interface Job {
  readonly cpu: number;
  readonly count: number;
  readonly elapsedNs: number;
  /** By the tenth-best of a hundred slices: what disturbs lasts longer than a slice. */
  readonly bestNs: number;
  /** Time by which a producer stayed behind its rate for good. */
  readonly lateNs: number;
}

export class Driver {
  readonly #process: ChildProcess;
  readonly #waiting: ((line: string) => void)[] = [];

  constructor() {
    this.#process = spawn(join(BUILD, 'driver'), { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: this.#process.stdout as NodeJS.ReadableStream });
    lines.on('line', (line) => this.#waiting.shift()?.(line));
    this.#process.on('exit', () => {
      for (const waiting of this.#waiting.splice(0)) waiting('{"error":"the driver has died"}');
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  async #ask(command: string): Promise<unknown> {
    const line = await new Promise<string>((resolve) => {
      this.#waiting.push(resolve);
      this.#process.stdin?.write(`${command}\n`);
    });
    const answer: unknown = JSON.parse(line);
    if (typeof answer === 'object' && answer !== null && 'error' in answer)
      throw new Error(`driver: ${command}: ${String(answer.error)}`);
    return answer;
  }

  async #jobs(command: string): Promise<readonly Job[]> {
    return ((await this.#ask(command)) as { jobs: Job[] }).jobs;
  }

  /** Runs a loaded program by BPF_PROG_TEST_RUN; ns per run. */
  async run(program: string, repeat: number): Promise<number> {
    return ((await this.#ask(`run ${program} ${repeat}`)) as { ns: number }).ns;
  }

  async attach(program: string, tracepoint: string): Promise<void> {
    await this.#ask(`attach ${program} ${tracepoint}`);
  }

  async detach(): Promise<void> {
    await this.#ask('detach');
  }

  async pin(cpu: number): Promise<void> {
    await this.#ask(`pin ${cpu}`);
  }

  /** `count` getppid calls on each of these CPUs at once. */
  loop(cpus: string, count: number): Promise<readonly Job[]> {
    return this.#jobs(`loop ${cpus} ${count}`);
  }

  /** Forgets what a BPF ring buffer holds. */
  async empty(map: string): Promise<void> {
    await this.#ask(`empty ${map}`);
  }

  /** Load at a rate on each CPU: a program's runs, or system calls for `-`. A rate of 0 means as fast as can be. */
  produce(program: string, cpus: string, ratePerCpu: number, seconds: number): Promise<readonly Job[]> {
    return this.#jobs(`produce ${program} ${cpus} ${ratePerCpu} ${seconds}`);
  }

  /** The same until `stop`. */
  async start(program: string, cpus: string, ratePerCpu: number): Promise<void> {
    await this.#ask(`produce ${program} ${cpus} ${ratePerCpu} 0`);
  }

  /** Has a producer make one offending event: 1 breaks a tripwire, 2 an invariant. */
  async offend(producer: number, how: 1 | 2): Promise<void> {
    await this.#ask(`offend ${producer} ${how}`);
  }

  stop(): Promise<readonly Job[]> {
    return this.#jobs('stop');
  }

  close(): void {
    this.#process.stdin?.end();
  }
}
