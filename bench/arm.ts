// As `record` starts, but with thirty programs at tracepoints: the command's modules, then open, load and attach.

import 'commander';
import 'pino';
import '../src/cli/record-run.ts';
import { sharesFor } from '../src/source/shares.ts';
import * as shim from '../src/source/shim.ts';

const [object = ''] = process.argv.slice(2);

function check({ code, text }: { readonly code: number; readonly text: string }): number {
  if (code < 0) throw new Error(`${code} ${text}`);
  return code;
}

shim.openShim();
const opened = shim.openObject(object);
const handle = check(opened);
const programs = opened.text
  .trim()
  .split('\n')
  .map((line) => line.split(' ')[0] as string);
for (const program of programs) shim.setAutoload(handle, program, true);
check(shim.loadObject(handle, 2, sharesFor(['xsk'], 65536)));
for (const program of programs) check(shim.attachProgram(handle, program));
process.stdout.write(`armed ${programs.length}\n`);
shim.closeRecorder(handle);
