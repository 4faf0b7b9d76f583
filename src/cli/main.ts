#!/usr/bin/env node
// The command line: finds the command, runs it, and turns errors into one sentence and an exit status.

import { writeSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { VERSION } from '../generated/version.ts';
import { EXIT, FlightringError, LabError, QueryError, UsageError } from '../model/errors.ts';
import { COMMANDS, type CommandEntry, HELP_GROUP } from './commands.ts';
import { printable, printableLine } from '../report/printable.ts';
import { nearest } from './nearest.ts';

/** An error of ours that no sentence foresaw (EX_SOFTWARE of sysexits.h). */
const INTERNAL_ERROR = 70;

const COMMAND_NAMES = COMMANDS.map(({ name }) => name);

const AFTERWARDS = `
Examples:
  sudo flightring record --paths xsk,neigh      record, and freeze at the first violation
  flightring check recordings/*.parquet         replay recordings through the invariants
  flightring show FILE --around 1ms             what happened around the violation
  flightring lab -- flightring doctor           try it on another kernel, without root

Exit status: 0 fine, 1 a violation was found, 2 bad usage or input, 3 the kernel refused,
4 no violation, but events were lost.`;

/** The word that names the command: the first that is no option, `help WORD` counting as WORD. */
function wantedCommand(words: readonly string[]): CommandEntry | undefined {
  const [first, second] = words.filter((word) => !word.startsWith('-'));
  const name = first === 'help' ? second : first;
  return COMMANDS.find((command) => command.name === name);
}

async function createProgram(words: readonly string[]): Promise<Command> {
  const program = new Command('flightring')
    .description(
      'A flight recorder for Linux networking: the last kernel events, frozen when an invariant breaks.',
    )
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help; after a command, its own')
    .commandsGroup(HELP_GROUP)
    .helpCommand('help [command]', 'print the help of a command')
    .showSuggestionAfterError(false)
    .configureOutput({ outputError: () => {} })
    .exitOverride()
    .addHelpText('after', AFTERWARDS);
  const wanted = wantedCommand(words);
  for (const entry of COMMANDS) {
    const command = entry === wanted ? await entry.load() : new Command(entry.name);
    inherit(command, program);
    // The long description is for the command's own help.
    program.addCommand(command.summary(entry.summary).helpGroup(entry.group));
  }
  return program;
}

/** Settings go to subcommands made elsewhere, too. */
function inherit(command: Command, parent: Command): void {
  command.copyInheritedSettings(parent);
  for (const child of command.commands) inherit(child, command);
}

async function main(words: readonly string[]): Promise<void> {
  // A reader that leaves early (`| head`) is no error of ours.
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') failToWrite(error);
    });
  const program = await createProgram(words);
  if (words.length === 0) {
    program.outputHelp();
    return;
  }
  const [first, second] = words;
  // Commander would print the general help, as for a missing command.
  if (first === 'help' && second !== undefined && !second.startsWith('-') && !wantedCommand(words)) {
    const best = nearest(second, COMMAND_NAMES);
    throw new UsageError('UNKNOWN_COMMAND', `unknown command '${second}'; did you mean ${best}?`);
  }
  try {
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return;
    complain(usageSentence(error, program, words));
    process.exitCode = EXIT.badInput;
  }
}

/** Commander's complaint in one line, with the nearest right word. */
function usageSentence(
  { code, message }: CommanderError,
  program: Command,
  words: readonly string[],
): string {
  const sentence = message
    .replace(/^error: /, '')
    .replaceAll('\n', ' ')
    .trim();
  const wrong = /'([^']*)'/.exec(sentence)?.[1] ?? '';
  const entry = wantedCommand(words);
  const command = program.commands.find((candidate) => candidate.name() === entry?.name) ?? program;
  let candidates: readonly string[] = [];
  if (code === 'commander.unknownCommand') candidates = COMMAND_NAMES;
  else if (code === 'commander.unknownOption')
    candidates = ['--help', ...command.options.map(({ long, short }) => long ?? short ?? '')];
  else if (code === 'commander.invalidArgument')
    candidates = /Allowed choices are (.*)\.$/.exec(sentence)?.[1]?.split(', ') ?? [];
  const value =
    code === 'commander.invalidArgument'
      ? (/argument '([^']*)' is invalid/.exec(sentence)?.[1] ?? wrong)
      : wrong;
  const best = nearest(value.replace(/=.*/, ''), candidates);
  const help = `flightring ${entry ? `${entry.name} ` : ''}--help`;
  return best === undefined
    ? `${sentence} (see "${help}")`
    : `${sentence.replace(/\.$/, '')}; did you mean ${best}?`;
}

function isFailedWrite(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && error.syscall === 'write';
}

/** Standard output, or standard error, on a full disk; there is nothing more to be done for either. */
function failToWrite(error: NodeJS.ErrnoException): never {
  const why = error.code === 'ENOSPC' ? 'the disk is full' : error.message;
  try {
    writeSync(2, `flightring: The output could not be written: ${why}.\n`);
  } catch {
    // Standard error may be what is full.
  }
  process.exit(EXIT.badInput);
}

function complain(sentence: string): void {
  process.stderr.write(`flightring: ${printableLine(sentence)}\n`);
}

/** The one place where errors become exit statuses. */
main(process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof FlightringError) {
    // What the lab printed and where a query is wrong take several lines; of all else each is one sentence.
    const hasLines = error instanceof LabError || error instanceof QueryError;
    complain(hasLines ? error.message : printable(error.message));
    process.exitCode = error.exitCode;
    return;
  }
  if (isFailedWrite(error)) failToWrite(error);
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  complain(`an error of flightring's own; please report it with these lines:\n${stack}`);
  process.exitCode = INTERNAL_ERROR;
});
