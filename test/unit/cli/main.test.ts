// The command line as a process: help, versions, wrong words, exit statuses, a reader that leaves, and what is loaded when.

import { type ExecFileException, execFile } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { COMMANDS } from '../../../src/cli/commands.ts';
import { VERSION } from '../../../src/generated/version.ts';
import { FAULTY, HEALTHY, recordingFolder } from './recordings.ts';

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, NO_COLOR: '', ...env }, timeout: 60_000 };
    execFile(
      process.execPath,
      ['--import', 'tsx', 'src/cli/main.ts', ...args],
      options,
      (error: ExecFileException | null, out, err) => {
        resolve({ code: error === null ? 0 : Number(error.code), out, err });
      },
    );
  });
}

test('--help names every command, examples and exit statuses; no words at all say the same', async () => {
  const { code, out, err } = await run(['--help']);
  expect(code).toBe(0);
  expect(err).toBe('');
  for (const { name } of COMMANDS) expect(out).toMatch(new RegExp(`^ {2}${name} `, 'm'));
  expect(out).toContain('Examples:');
  expect(out).toContain('Exit status: 0 fine, 1 a violation was found');
  expect(await run([])).toEqual({ code: 0, out, err: '' });
});

test('each command has help of its own', async () => {
  const helps = await Promise.all(COMMANDS.map(({ name }) => run([name, '--help'])));
  for (const [i, { code, out }] of helps.entries()) {
    expect(code).toBe(0);
    expect(out).toContain(`Usage: flightring ${COMMANDS[i]?.name}`);
  }
  expect((await run(['help', 'show'])).out).toBe((await run(['show', '--help'])).out);
}, 60_000);

test('--version', async () => {
  expect(await run(['--version'])).toEqual({ code: 0, out: `${VERSION}\n`, err: '' });
});

test.each([
  [['chek', 'x'], "unknown command 'chek'; did you mean check?"],
  [['help', 'chek'], "unknown command 'chek'; did you mean check?"],
  [['check', '--jsno', 'x'], "unknown option '--jsno'; did you mean --json?"],
  [['record', '--lats', '5'], "unknown option '--lats'; did you mean --last?"],
  [['--verison'], "unknown option '--verison'; did you mean --version?"],
  [['record', '--freeze-on', 'vilation'], 'did you mean violation?'],
  [['record', '--after=-5ms'], '--after takes no negative time like "-5ms".'],
  [['record', '--ready-file', '/nowhere/ready'], "--ready-file /nowhere/ready can't be written: ENOENT."],
  [['record', '--netns', 'nowhere'], 'There is no network namespace "nowhere"'],
  [['check'], 'missing required argument \'file\' (see "flightring check --help")'],
  [['check', '/nowhere.parquet'], 'There is no recording /nowhere.parquet.'],
  [['invariants', 'xsk.ownershp'], 'did you mean xsk.ownership?'],
  [['lab', 'kernls'], 'There is no program or lab command "kernls"; did you mean kernels?'],
  [['lab', '--', 'no-such-program-here'], 'There is no program or lab command "no-such-program-here"'],
  [['lab'], 'give it a command: flightring lab -- flightring doctor'],
  [['lab', '--cpus', 'two', 'true'], '--cpus takes a whole number from 1 to 64, not "two".'],
])('%j is refused in one line', async (args, sentence) => {
  const { code, out, err } = await run(args);
  expect(err).toContain(sentence);
  expect(err).toMatch(/^flightring: [^\n]*\n$/);
  expect({ code, out }).toEqual({ code: 2, out: '' });
});

test('the exit status is the verdict, and reading needs no native part', async () => {
  using folder = recordingFolder();
  const native = { FLIGHTRING_NATIVE: join(folder.path, 'nowhere') };
  expect((await run(['check', folder.parquet('faulty', FAULTY)], native)).code).toBe(1);
  expect((await run(['check', '--quiet', folder.raw('healthy', HEALTHY)], native)).code).toBe(0);
  expect((await run(['show', folder.raw('shown', FAULTY)], native)).out).toContain('xsk_tx_submit');
  expect((await run(['doctor'], native)).code).toBe(3);
}, 60_000);

test('a reader that leaves early is no error', async () => {
  using folder = recordingFolder();
  const file = folder.parquet('long', Array.from({ length: 20_000 }, () => HEALTHY).flat());
  const result = await new Promise<Outcome>((resolve) => {
    execFile(
      'sh',
      ['-c', `"$0" --import tsx src/cli/main.ts show "$1" | head -n 2`, process.execPath, file],
      (error, out, err) => resolve({ code: Number(error?.code ?? 0), out, err }),
    );
  });
  expect(result).toMatchObject({ code: 0, err: '' });
  expect(result.out.split('\n')).toHaveLength(3);
}, 60_000);

test('a full disk behind standard output is one sentence, and no verdict', async () => {
  using folder = recordingFolder();
  const file = folder.parquet('a', HEALTHY);
  for (const words of ['show "$1"', 'query "$1" "SELECT range FROM range(100000)" --format csv']) {
    const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
      execFile(
        'sh',
        ['-c', `"$0" --import tsx src/cli/main.ts ${words} >/dev/full`, process.execPath, file],
        (error, _, said) => resolve({ code: error?.code, stderr: said }),
      );
    });
    expect(stderr).toBe('flightring: The output could not be written: the disk is full.\n');
    expect(code).toBe(2);
  }
});

test('where a question is wrong is shown under it, line by line', async () => {
  const { code, err } = await run(['query', 'recordings/poison.parquet', 'SELECT knd FROM events']);
  expect(code).toBe(2);
  expect(err).toMatch(/^flightring: .*Referenced column "knd" not found/);
  expect(err).toMatch(/\nLINE 1: SELECT knd FROM events\n {15}\^\n$/);
});
