// Gathers what can be known of a guest that stands still, from the emulator and from the guest's kernel.

import { readdirSync, readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Machine } from './qemu.ts';

const prompt = '(qemu) ';
const answerMs = 3_000;
/** What an emulated CPU may need to take an interrupt and print its backtrace at the speed of a serial line. */
const printMs = 4_000;

/** Ends with a non-maskable interrupt at which the guest's kernel panics: nothing can be run in it afterwards. */
export async function gatherFacts(machine: Machine): Promise<string> {
  const before = threadTimes(machine.pid);
  const monitor = new Monitor(machine.monitor);
  const status = await monitor.ask('info status');
  const facts = [
    `qemu: ${status ?? 'its monitor does not answer, so its main loop stands still, not only the guest'}`,
  ];
  if (status !== undefined) {
    facts.push(...registers((await monitor.ask('info registers -a')) ?? ''));
    // Log all, CPUs, blocked tasks, timers: the kernel takes a break on its serial line and then a key as SysRq.
    for (const key of '9lwq') {
      await monitor.ask('chardev-send-break console');
      machine.console.write(key);
      await sleep(printMs / 4);
    }
    await sleep(printMs);
  }
  facts.push(...threadChanges(before, threadTimes(machine.pid)));
  if (status !== undefined) {
    await monitor.ask('nmi');
    await sleep(printMs);
  }
  monitor.close();
  return facts.map((line) => `  ${line}`).join('\n');
}

/** QEMU's human monitor: a line in, text up to the next prompt out. */
class Monitor {
  readonly #socket: Socket;
  #heard = '';
  readonly #listen = (chunk: Buffer): void => {
    this.#heard += chunk.toString('latin1');
  };

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', this.#listen);
  }

  async ask(command: string): Promise<string | undefined> {
    // The greeting and its prompt have been heard long ago, or are of no interest.
    await sleep(50);
    this.#heard = '';
    this.#socket.write(`${command}\n`);
    for (let waited = 0; waited < answerMs; waited += 50) {
      await sleep(50);
      // The monitor is a line editor that echoes the command with cursor movements, then a line end.
      const answer = this.#heard.slice(this.#heard.indexOf('\n') + 1);
      if (answer.endsWith(prompt)) return answer.slice(0, -prompt.length).replaceAll('\r', '').trim();
    }
    return undefined;
  }

  close(): void {
    this.#socket.off('data', this.#listen);
    this.#socket.resume();
  }
}

/** Per CPU: where it is, whether it is halted, and whether it takes interrupts. */
function registers(text: string): string[] {
  return text
    .split(/^(?=CPU#)/m)
    .filter((part) => part.startsWith('CPU#'))
    .map((part) => {
      const cpu = /^CPU#\d+/.exec(part)?.[0];
      const [, rip, flags] = /RIP=(\w+) RFL=(\w+)/.exec(part) ?? [];
      const halted = /HLT=(\d)/.exec(part)?.[1] === '1' ? 'halted' : 'not halted';
      const open = (Number.parseInt(flags ?? '0', 16) & 0x200) !== 0;
      return `${cpu}: RIP ${rip}, ${halted}, interrupts ${open ? 'on' : 'off'}`;
    });
}

interface ThreadTime {
  readonly name: string;
  readonly state: string;
  readonly ticks: number;
}

/** Threads of QEMU by id, with the CPU time they have used: proc(5), /proc/PID/stat. */
function threadTimes(supervisor: number | undefined): Map<string, ThreadTime> {
  const threads = new Map<string, ThreadTime>();
  try {
    const children = readFileSync(`/proc/${supervisor}/task/${supervisor}/children`, 'utf8').split(' ');
    const qemu = children.find((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('qemu'));
    for (const id of readdirSync(`/proc/${qemu}/task`)) {
      const stat = readFileSync(`/proc/${qemu}/task/${id}/stat`, 'utf8');
      const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      threads.set(id, { name, state: fields[0] ?? '?', ticks: Number(fields[11]) + Number(fields[12]) });
    }
  } catch {
    // QEMU is gone, and that is said elsewhere.
  }
  return threads;
}

function threadChanges(before: Map<string, ThreadTime>, after: Map<string, ThreadTime>): string[] {
  return [...after].map(([id, { name, state, ticks }]) => {
    const used = (ticks - (before.get(id)?.ticks ?? 0)) * 10;
    return `thread ${name}: state ${state}, used ${used} ms of CPU while this was gathered`;
  });
}
