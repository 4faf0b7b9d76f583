// As `record` starts, but with thirty programs at tracepoints: the command's modules, then open, load and attach.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [root, object] = process.argv.slice(2);
const load = (file) => import(pathToFileURL(join(root, 'dist/src', file)).href);
await import('commander');
await import('pino');
const [shim, shares] = await Promise.all([load('source/shim.js'), load('source/shares.js'), load('cli/record-run.js')]);
const check = ({ code, text }) => {
  if (code < 0) throw new Error(`${code} ${text}`);
  return code;
};
shim.openShim();
const opened = shim.openObject(object);
const handle = check(opened);
const programs = opened.text.trim().split('\n').map((line) => line.split(' ')[0]);
for (const program of programs) shim.setAutoload(handle, program, true);
check(shim.loadObject(handle, 2, shares.sharesFor(['xsk'], 65536)));
for (const program of programs) check(shim.attachProgram(handle, program));
process.stdout.write(`armed ${programs.length}\n`);
shim.closeRecorder(handle);
