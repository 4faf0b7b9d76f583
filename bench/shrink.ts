// Seconds from a recording of a million events to the smallest part that still shows its violation.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { defineInvariant, type Invariant, shrinkRecording } from '../src/index.ts';
import { INVARIANTS } from '../src/generated/invariants.ts';
import { writeLargeRecording } from '../test/large-recording.ts';
import { type Benchmark, type Options, type Row, spread } from './table.ts';

const EVENTS = 1_000_000;
const TARGET_S = 30;

/**
 * Broken when enough receives of one queue lie far enough apart, whichever they are: nothing that a violation names
 * leads to them, and every one of a million events could be one.
 */
const SCATTERED = defineInvariant({
  name: 'bench.scattered',
  claim: 'no queue is used for long',
  object: 'queue',
  source: 'bench/shrink.ts',
  needs: ['xsk_fill_submit', 'xsk_rx_write', 'xsk_tx_submit', 'xsk_comp_submit'],
  start({ violate }) {
    let met = 0;
    let last = 0;
    return {
      step(event) {
        if (event.kind !== 'xsk_rx_write' || event.ts - last < 1_000_000) return;
        last = event.ts;
        if (++met === 8) violate({ object: 'queue 1', sentence: 'it is' });
      },
      gap() {},
    };
  },
});

export async function shrink({ quick }: Options): Promise<Benchmark> {
  const folder = mkdtempSync(join(tmpdir(), 'flightring-bench-'));
  const rounds = quick ? 1 : 5;
  try {
    const path = join(folder, 'million.parquet');
    writeLargeRecording(path, EVENTS);
    const known = INVARIANTS.filter(({ name }) => name === 'xsk.ownership');
    return {
      name: 'shrink',
      title: `a recording of ${EVENTS.toLocaleString('en')} events`,
      rows: [
        await measure('xsk.ownership, evidence is enough', path, known, rounds),
        await measure('eight events anywhere', path, [SCATTERED], rounds),
      ],
      notes: [],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(
  variant: string,
  path: string,
  invariants: readonly Invariant[],
  rounds: number,
): Promise<Row> {
  const seconds: number[] = [];
  let note = '';
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    const { events, trials } = await shrinkRecording(path, { invariants });
    seconds.push((performance.now() - started) / 1000);
    note = `${events} events left, ${trials} trials`;
  }
  const figures = spread(seconds);
  return {
    variant,
    unit: 's',
    ...figures,
    target: { kind: 'at most', limit: TARGET_S, value: figures.median },
    note,
  };
}
