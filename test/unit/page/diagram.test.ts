// The drawing of an invariant: every one with a picture can be laid out, and nothing in it lies on anything else.

import { describe, expect, test } from 'vitest';
import { INVARIANTS } from '../../../src/generated/invariants.ts';
import { type Arc, layDiagram, LINE } from '../../../src/page/client/diagram-layout.ts';
import { diagramOf } from '../../../src/page/diagram.ts';
import { neededKinds } from '../../../src/check/invariant.ts';
import { VIOLATION } from '../report/story.ts';

const CASES = INVARIANTS.flatMap((invariant) =>
  neededKinds(invariant).map((kind) => {
    const at = { cpu: 0, seq: 2, ts: 2, kind };
    const evidence = [{ cpu: 0, seq: 1, ts: 1, kind: neededKinds(invariant)[0] as string }, at];
    return [`${invariant.name} by ${kind}`, diagramOf(invariant, { ...VIOLATION, at, evidence })] as const;
  }),
);

/** The box of an arc's far side with its label. */
function boxOf({ x0, x1, reach, lines }: Arc) {
  const half = Math.max(Math.abs(x1 - x0), Math.max(...lines.map((line) => line.length)) * 6) / 2;
  const middle = (x0 + x1) / 2;
  return { left: middle - half, right: middle + half, near: reach, far: reach + lines.length * LINE };
}

describe.each(CASES)('%s', (_name, diagram) => {
  test('has its states apart, its labels apart, and one illegal move', () => {
    if (diagram === null) throw new Error('every invariant has a picture');
    const { nodes, arcs, width } = layDiagram(diagram);
    for (const [i, node] of nodes.entries()) {
      expect(node.x + node.width).toBeLessThanOrEqual(nodes[i + 1]?.x ?? width + 0.1);
    }
    expect(arcs.filter(({ bad }) => bad)).toHaveLength(1);
    for (const side of ['above', 'below'] as const) {
      const boxes = arcs.filter((arc) => arc.side === side).map(boxOf);
      for (const [i, a] of boxes.entries())
        for (const b of boxes.slice(i + 1)) {
          const apart = a.right < b.left || b.right < a.left || a.far < b.near || b.far < a.near;
          expect(apart, JSON.stringify([a, b])).toBe(true);
        }
    }
  });
});

test("ownership's illegal move is the one from where the frame was", () => {
  const ownership = INVARIANTS.find(({ name }) => name === 'xsk.ownership');
  if (!ownership) throw new Error('there is xsk.ownership');
  const diagram = diagramOf(ownership, VIOLATION);
  expect(diagram?.illegal).toEqual({
    from: diagram?.states.indexOf('TX'),
    to: diagram?.states.indexOf('RX'),
    label: 'xsk_rx_write',
    late: false,
  });
});
