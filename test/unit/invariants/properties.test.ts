// All invariants together: silent on any legal life, from any moment on; the same verdict however batches are cut; never a throw.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Checker } from '../../../src/check/checker.ts';
import { INVARIANTS } from '../../../src/generated/invariants.ts';
import { LAYOUTS } from '../../../src/generated/layouts.ts';
import type { Violation } from '../../../src/model/violation.ts';
import { type Batch, HEAD, SLOT_LANES } from '../../../src/model/slot.ts';
import { buildBatch, type EventSpec } from '../batch.ts';
import { makeObjects, OUTER_0, SOCKET_OUTER_0 } from './setup.ts';
import { makeRandom, simulate } from './simulation.ts';

function checkAll(events: readonly EventSpec[], cuts: readonly number[] = []): readonly Violation[] {
  const checker = new Checker(INVARIANTS, makeObjects());
  for (const batch of cut(buildBatch(events), cuts)) checker.check(batch);
  return checker.violations;
}

/** The same slots in several batches; a record of several slots stays in one. */
function cut({ lanes, slots }: Batch, cuts: readonly number[]): Batch[] {
  const starts = [0];
  for (const at of [...cuts].map((at) => at % (slots + 1)).sort((a, b) => a - b)) {
    const isHead = at < slots && (lanes[at * SLOT_LANES + HEAD.seqHigh] as number) >>> 31 === 0;
    if (isHead && at > (starts.at(-1) as number)) starts.push(at);
  }
  return starts.map((from, i) => {
    const to = starts[i + 1] ?? slots;
    return { lanes: lanes.slice(from * SLOT_LANES, to * SLOT_LANES), slots: to - from };
  });
}

/** Makes some of the events wrong: another address, position, length or CPU. */
function spoil(events: readonly EventSpec[], seed: number, faults: number): EventSpec[] {
  const random = makeRandom(seed);
  const spoilt = [...events];
  for (let i = 0; i < faults && spoilt.length; i++) {
    const at = random(spoilt.length);
    const event = spoilt[at] as EventSpec;
    const other = spoilt[random(spoilt.length)] as EventSpec;
    const change = [
      { addr: other['addr'] ?? 0 },
      { len: 7 },
      { cpu: 3 },
      { position: other['position'] ?? 5 },
    ][random(4)];
    spoilt[at] = { ...event, ...change };
  }
  return spoilt;
}

const seed = fc.integer();

describe('all invariants', () => {
  it('raise nothing on a legal life, from its start or from any moment on', () => {
    fc.assert(
      fc.property(seed, fc.nat(2000), (seed, skip) => {
        const events = simulate(seed, 3000);
        expect(checkAll(events).map(({ sentence }) => sentence)).toEqual([]);
        expect(checkAll(events.slice(skip)).map(({ sentence }) => sentence)).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  it('raise nothing around gaps', () => {
    fc.assert(
      fc.property(seed, fc.nat(2000), fc.nat(200), (seed, at, lost) => {
        const events = simulate(seed, 3000);
        const from = Math.min(at, events.length - 1);
        const gap = { kind: 'gap', ts: (events[from] as EventSpec).ts, lost };
        const rest = [...events.slice(0, from), gap, ...events.slice(from + lost)];
        expect(checkAll(rest).map(({ sentence }) => sentence)).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it('give the same violations however the batches are cut', () => {
    fc.assert(
      fc.property(seed, fc.array(fc.nat(5000), { maxLength: 20 }), (seed, cuts) => {
        const events = spoil(simulate(seed, 1500), seed + 1, 8);
        expect(checkAll(events, cuts)).toEqual(checkAll(events));
      }),
      { numRuns: 100 },
    );
  });

  it('never throw on anything', () => {
    const objects = [0, OUTER_0, SOCKET_OUTER_0, 6, 50, 16_383, 16_384, 0xffff_ffff];
    const number = fc.oneof(fc.nat(70), fc.constantFrom(0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 60, 4096));
    const event = fc.record({
      layout: fc.constantFrom(...LAYOUTS),
      cpu: fc.constantFrom(0, 1, 2, 1023, 1024, 70_000),
      flags: fc.constantFrom(0, 0x100, 0x200, 0x40),
      object: fc.constantFrom(...objects),
      values: fc.array(number, { minLength: 16, maxLength: 16 }),
      addr: fc.oneof(fc.bigInt(0n, (1n << 64n) - 1n), fc.bigInt(0n, 1n << 20n)),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 200 }), (list) => {
        const events = list.map(({ layout, cpu, flags, object, values, addr }, i) => {
          const spec: Record<string, number | bigint | string> = {
            kind: layout.kind,
            ts: 1000 + i * 100,
            cpu,
            flags,
          };
          for (const [j, field] of layout.fields.entries()) spec[field.name] = values[j % 16] as number;
          if ('object' in spec) spec['object'] = object;
          if ('addr' in spec) spec['addr'] = addr;
          return spec as EventSpec;
        });
        checkAll(events);
      }),
      { numRuns: 300 },
    );
  });
});
