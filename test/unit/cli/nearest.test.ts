// What a wrong word was meant to be.

import { expect, test } from 'vitest';
import { editDistance, nearest, unknownWord } from '../../../src/cli/nearest.ts';

test.each([
  ['', '', 0],
  ['abc', '', 3],
  ['kitten', 'sitting', 3],
  ['xks', 'xsk', 1],
  ['flush', 'flash', 1],
])('%s and %s are %i edits apart', (a, b, edits) => {
  expect(editDistance(a, b)).toBe(edits);
  expect(editDistance(b, a)).toBe(edits);
});

test.each([
  ['xsk_rx_publich', 'xsk_rx_publish'],
  ['publish', 'xsk_rx_publish'],
  ['XSK_DROP', 'xsk_drop'],
  ['xsk_rx', 'xsk_rx_publish'],
])('%s was meant to be %s', (word, right) => {
  expect(nearest(word, ['xsk_drop', 'xsk_flush', 'xsk_rx_publish', 'neigh_timer'])).toBe(right);
});

test('the error names the word and the right one, and its code the matter', () => {
  const error = unknownWord('thread name', 'forwarder', ['bash', 'xsk-forwarder']);
  expect(error.message).toBe('There is no thread name "forwarder"; did you mean xsk-forwarder?');
  expect(error.code).toBe('UNKNOWN_THREAD_NAME');
  expect(unknownWord('path', 'x', []).message).toBe('There is no path "x", and none at all here.');
});
