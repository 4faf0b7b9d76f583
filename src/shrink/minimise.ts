// Delta debugging: the smallest part of a list that still passes a test, in the list's order.

/**
 * Leaves out pieces of `items`, larger ones first, for as long as what is left passes the test; `items` themselves must
 * pass it. The result is 1-minimal: without any single one of its items the test fails. It needn't be the smallest
 * of all parts that pass, unless a part passes whenever a part of it does.
 */
export function minimise<T>(items: readonly T[], test: (part: readonly T[]) => boolean): T[] {
  let left = [...items];
  if (left.length > 0 && test([])) return [];
  for (let size = left.length >> 1; size > 1; size >>= 1) left = leaveOutPieces(left, size, test);
  return leaveOutSingles(left, test);
}

/** One pass over all pieces of this size, from the oldest on. */
function leaveOutPieces<T>(items: readonly T[], size: number, test: (part: readonly T[]) => boolean): T[] {
  let left = [...items];
  for (let from = 0; from < left.length && left.length > size; ) {
    const rest = without(left, from, size);
    if (test(rest)) left = rest;
    else from += size;
  }
  return left;
}

/** Goes round until no item in a whole round could be left out. */
function leaveOutSingles<T>(items: readonly T[], test: (part: readonly T[]) => boolean): T[] {
  let left = [...items];
  let at = 0;
  for (let needed = 0; needed < left.length; ) {
    if (at >= left.length) at = 0;
    const rest = without(left, at, 1);
    if (test(rest)) {
      left = rest;
      needed = 0;
    } else {
      at++;
      needed++;
    }
  }
  return left;
}

function without<T>(items: readonly T[], from: number, count: number): T[] {
  return [...items.slice(0, from), ...items.slice(from + count)];
}
