// The tools' outputs are told apart by words that none of them can print, and every end of a script is a result.

import { expect, test } from 'vitest';
import { parseMounts } from '../../../../src/source/snapshot/namespaces.ts';
import { runScript, scriptText, splitSections } from '../../../../src/source/snapshot/script.ts';

const HERE = '/proc/self/ns/net';
const isRoot = process.getuid?.() === 0;

test('each output by its name, with its status', () => {
  const output = 'NONCE begin a\n[1]\n\nNONCE end 0\nNONCE begin b\n\nNONCE end 127\n';
  expect([...splitSections(output, 'NONCE')]).toEqual([
    ['a', { text: '[1]\n', code: 0 }],
    ['b', { text: '', code: 127 }],
  ]);
});

test('an output that was cut off has no status', () => {
  expect(splitSections('NONCE begin a\n[{"dst":', 'NONCE').get('a')).toEqual({
    text: '[{"dst":',
    code: null,
  });
  expect(splitSections('', 'NONCE').size).toBe(0);
});

test('the script says where each command begins and how it ended', () => {
  expect(scriptText([{ name: 'a', words: ['ip', '-j', 'neigh'] }], 'NONCE')).toBe(
    'echo "NONCE begin a"\nip -j neigh\necho "\nNONCE end $?"\n',
  );
});

test.runIf(isRoot)('a tool that is missing is named, and the others are run', async () => {
  const result = await runScript(HERE, [
    { name: 'none', words: ['flightring-no-such-tool', '-j'] },
    { name: 'there', words: ['echo', 'yes'] },
  ]);
  expect(result.missing).toBe('flightring-no-such-tool');
  expect(result.sections.get('there')).toEqual({ text: 'yes\n', code: 0 });
});

test.runIf(isRoot)('a namespace that is not there is a failure in words', async () => {
  const result = await runScript('/proc/self/ns/no-such', [{ name: 'a', words: ['true'] }]);
  expect(result.sections.size).toBe(0);
  expect(result.failure).toContain('No such file');
});

test('namespaces among the mounts', () => {
  const mountinfo = [
    '24 30 0:22 / /sys rw,nosuid shared:7 - sysfs sysfs rw',
    '612 25 0:4 net:[4026532281] /run/netns/one rw shared:320 - nsfs nsfs rw',
    '613 25 0:4 net:[4026532282] /run/netns/with\\040space rw shared:320 - nsfs nsfs rw',
    '614 25 0:4 mnt:[4026532283] /run/mnt rw - nsfs nsfs rw',
    '615 25 8:1 net:[1] /fake rw - ext4 /dev/sda1 rw',
    'odd',
  ].join('\n');
  expect(parseMounts(mountinfo)).toEqual([
    { inum: 4026532281, path: '/run/netns/one' },
    { inum: 4026532282, path: '/run/netns/with space' },
  ]);
});
