// A command's output is cut at its mark, however the bytes were split on the way.

import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { Socket } from 'node:net';

import { readUntilMark } from '../../../src/lab/stream.ts';

const mark = '0123456789abcdef0123456789abcdef';

test('any split of the bytes gives the same text and exit status, and the mark is never passed on', async () => {
  const text = fc.string({ unit: fc.constantFrom('a', '\n', 'é', '\x1e', `\x1e${mark.slice(0, 9)}`, '€') });
  const cuts = fc.array(fc.nat(80), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(text, cuts, fc.integer({ min: 0, max: 255 }), async (output, at, code) => {
      const bytes = Buffer.from(`${output}\x1e${mark} ${code}\n`);
      const socket = new Socket();
      const passed: string[] = [];
      const end = readUntilMark(socket, mark, (part) => passed.push(part));
      const edges = [0, ...at.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
      edges.slice(1).forEach((edge, index) => socket.emit('data', bytes.subarray(edges[index], edge)));
      expect(await end).toEqual({ text: output, code });
      expect(passed.join('')).toBe(output);
    }),
  );
});
