// Runs the tools for one namespace as one child process, and takes its output apart again.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';

/** For one namespace. */
const TIME_LIMIT_MS = 10_000;
const OUTPUT_MAX = 64 << 20;
const ERRORS_MAX = 4096;

/** A tool to run: `name` stands for its output. */
export interface Command {
  readonly name: string;
  readonly words: readonly string[];
}

/** What a command printed; `code` is its exit status, null if it didn't end. */
export interface Section {
  readonly text: string;
  readonly code: number | null;
}

export interface ScriptResult {
  /** By name of the command. */
  readonly sections: ReadonlyMap<string, Section>;
  /** What the tools complained of, shortened. */
  readonly errors: string;
  /** Why the whole was given up, in words; null if it ran to its end. */
  readonly failure: string | null;
  /** A tool that is needed is not installed: its name. */
  readonly missing: string | null;
}

/** Where the tools are when a service has no PATH of its own. */
const TOOL_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Lines that begin with `nonce`, which no output can know, stand around each command's output. */
export function scriptText(commands: readonly Command[], nonce: string): string {
  const lines = commands.map(
    ({ name, words }) => `echo "${nonce} begin ${name}"\n${words.join(' ')}\necho "\n${nonce} end $?"`,
  );
  return `${lines.join('\n')}\n`;
}

/** The sections of a script's output. */
export function splitSections(output: string, nonce: string): Map<string, Section> {
  const sections = new Map<string, Section>();
  const [, ...parts] = `\n${output}`.split(`\n${nonce} begin `);
  for (const part of parts) {
    const line = part.indexOf('\n');
    if (line < 0) continue;
    const end = part.lastIndexOf(`\n${nonce} end `);
    const code = end < 0 ? null : Number(part.slice(end + nonce.length + 6).trim());
    sections.set(part.slice(0, line), { text: part.slice(line + 1, end < 0 ? undefined : end), code });
  }
  return sections;
}

/** Runs the commands in the namespace at `path`. Never rejects: what goes wrong is part of the result. */
export function runScript(path: string, commands: readonly Command[]): Promise<ScriptResult> {
  const nonce = randomBytes(12).toString('hex');
  return new Promise((resolve) => {
    const child = spawn('nsenter', [`--net=${path}`, 'sh', '-c', scriptText(commands, nonce)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: `${process.env['PATH'] ?? ''}:${TOOL_PATH}`, LC_ALL: 'C', TZ: 'UTC' },
      detached: true,
    });
    const output: Buffer[] = [];
    let bytes = 0;
    let errors = '';
    let failure: string | null = null;
    const giveUp = (why: string) => {
      failure ??= why;
      // The tools are in the shell's process group.
      if (child.pid !== undefined) {
        try {
          process.kill(-child.pid, 'SIGKILL');
        } catch {
          // It has ended by itself.
        }
      }
    };
    const timer = setTimeout(() => giveUp(`no end within ${TIME_LIMIT_MS / 1000} s`), TIME_LIMIT_MS);
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > OUTPUT_MAX) giveUp(`more than ${OUTPUT_MAX >> 20} MiB of output`);
      else output.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      if (errors.length < ERRORS_MAX) errors += chunk.toString('utf8', 0, ERRORS_MAX - errors.length);
    });
    const finish = (missing: string | null) => {
      clearTimeout(timer);
      const sections = splitSections(Buffer.concat(output).toString('utf8'), nonce);
      resolve({
        sections,
        errors: errors.trim(),
        failure,
        missing: missing ?? missingTool(commands, sections),
      });
    };
    child.on('error', (error: NodeJS.ErrnoException) => {
      failure ??= error.message;
      finish(error.code === 'ENOENT' ? 'nsenter' : null);
    });
    child.on('close', (code) => {
      if (code !== 0) failure ??= errors.trim().split('\n')[0] || `exit status ${code}`;
      finish(null);
    });
  });
}

/** 127 is the shell's status for a command that it can't find. */
function missingTool(commands: readonly Command[], sections: ReadonlyMap<string, Section>): string | null {
  const command = commands.find(({ name }) => sections.get(name)?.code === 127);
  return command?.words[0] ?? null;
}
