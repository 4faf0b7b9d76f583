// As `record` starts, but with thirty programs at tracepoints: the command's modules, then open, load and attach.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [root, object] = process.argv.slice(2);
const load = (file) => import(pathToFileURL(join(root, 'dist/src', file)).href);
await import('commander');
await import('pino');
const [shim] = await Promise.all([load('source/shim.js'), load('cli/record-run.js')]);
const check = ({ code, text }) => {
  if (code < 0) throw new Error(`${code} ${text}`);
  return code;
};
shim.openShim();
const opened = shim.openObject(object);
const handle = check(opened);
const programs = opened.text.trim().split('\n').map((line) => line.split(' ')[0]);
for (const program of programs) shim.setAutoload(handle, program, true);
const mask = Buffer.alloc(8);
mask.writeBigUInt64LE(65535n);
shim.setKnob(handle, 'fr_ring_mask', mask);
check(shim.loadObject(handle, 2, 65536));
for (const program of programs) check(shim.attachProgram(handle, program));
process.stdout.write(`armed ${programs.length}\n`);
shim.closeRecorder(handle);
