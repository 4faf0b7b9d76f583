// How the rings are divided: data paths get all that was asked for, the others enough, and nobody what isn't recorded.

import { expect, test } from 'vitest';
import { SHARES } from '../../../src/generated/layouts.ts';
import { sharesFor, slotsOf } from '../../../src/source/shares.ts';

function of(paths: readonly string[], slots: number): Record<string, number> {
  return Object.fromEntries(
    sharesFor(paths, slots)
      .filter((share) => share.slots > 0)
      .map((share) => [share.path, share.slots]),
  );
}

test('beside a data path the others get a quarter, names and marks a sixteenth', () => {
  expect(of(['xsk', 'neigh', 'mark'], 65_536)).toEqual({
    xsk: 65_536,
    neigh: 16_384,
    task: 4096,
    mark: 4096,
  });
  expect(of(['xsk', 'neigh'], 1 << 20)).toEqual({ xsk: 1 << 20, neigh: 1 << 18, task: 65_536 });
});

test('a path that is recorded alone gets the whole', () => {
  expect(of(['neigh'], 1 << 20)).toEqual({ neigh: 1 << 20, task: 65_536 });
  expect(of(['xsk'], 65_536)).toEqual({ xsk: 65_536, task: 4096 });
});

test('nobody gets more than was asked for, however little that is', () => {
  expect(of(['xsk', 'neigh'], 64)).toEqual({ xsk: 64, neigh: 64, task: 64 });
});

test('shares are numbered as the kinds are, sizes are powers of two, and the whole is below what the verifier takes', () => {
  const shares = sharesFor(SHARES, 4 << 20);
  expect(shares.map(({ path }) => path)).toEqual(SHARES);
  for (const { slots } of shares) expect(Math.log2(slots) % 1).toBe(0);
  expect(4096 + slotsOf(shares) * 64).toBeLessThan(2 ** 29);
});
