// Every scenario live in one lab: the right invariant fires, nothing else does, and the recording proves it again on the host.

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EventView } from '../../src/decode/event-view.ts';
import { PROBE_PATHS } from '../../src/generated/probes.ts';
import { SCENARIOS } from '../../src/generated/scenarios.ts';
import { labCacheDir, readDefaultVersion } from '../../src/lab/cache.ts';
import type { BootOptions } from '../../src/lab/index.ts';
import type { ScenarioResult } from '../../src/lab/scenario-run.ts';
import {
  divide,
  runScenarios,
  SCENARIO_EVENTS,
  type ScenarioResults,
} from '../../src/lab/scenarios-in-lab.ts';
import { runsOn, type Scenario, scenarioOn } from '../../src/lab/scenario.ts';
import { firedBy, probeFaults, selection } from '../../src/lab/scenario-verdict.ts';
import { HEAD, SLOT_LANES, timeAt } from '../../src/model/slot.ts';
import { checkRecording, type RecordingCheck } from '../../src/pipeline.ts';
import type { Recording } from '../../src/recording/open.ts';
import { derivePublishRace, type Race } from './publish-race.ts';

const ROOT = join(import.meta.dirname, '../..');
/** Of so many events one may be missing for an interrupt inside a probe's program: between network cards, and without them. */
const MISSES_SHARE = { wires: 500, none: 5000 };
/** EtherType, and protocol in an IPv4 header without options (RFC 791). */
const IPV4 = 0x0800;
const UDP = 17;
/** What npm test asks of a healthy run; npm run soak asks for millions. */
const HEALTHY_EVENTS = 100_000;

/** The line by which a workload announces its fault (test/workloads/README.md). */
interface Fault {
  readonly fault: string;
  readonly addr: string;
  readonly frame: string;
  readonly ring: string;
  readonly ifname: string;
  readonly ifindex: number;
  readonly queue: number;
}

function faultOf(result: ScenarioResult): Fault {
  const line = result.workload.find((one) => typeof one === 'object' && one !== null && 'fault' in one);
  expect(line, 'the workload announced its fault').toBeDefined();
  return line as Fault;
}

async function checkOnHost(result: ScenarioResult): Promise<RecordingCheck> {
  const path = result.recordings[0]?.path;
  expect(path, 'a recording was made').toBeDefined();
  return await checkRecording(path as string);
}

/** Device, queue and namespace of the announced fault, as the recording knows them. */
function placeOf(fault: Fault, { meta }: Recording) {
  // An earlier scenario's had the same name.
  const place = meta.objects.findLast(
    ({ type, name, ifindex, queue }) =>
      type === 'queue' && name === fault.ifname && ifindex === fault.ifindex && queue === fault.queue,
  );
  expect(place, `${fault.ifname} q${fault.queue} is an object of the recording`).toBeDefined();
  return place as NonNullable<typeof place>;
}

/** The events on the offending event's CPU that came after it. */
function laterEvents(recording: Recording, cpu: number, ts: number): number {
  let later = 0;
  for (const { lanes, slots } of recording.batches())
    for (let at = 0; at < slots * SLOT_LANES; at += SLOT_LANES)
      if (
        (lanes[at + HEAD.seqHigh] as number) >>> 31 === 0 &&
        lanes[at + HEAD.cpu] === cpu &&
        timeAt(lanes, at) > ts
      )
        later++;
  return later;
}

function packetsIn(recording: Recording): { kept: number; len: number; bytes: Buffer }[] {
  const event = new EventView();
  const packets: { kept: number; len: number; bytes: Buffer }[] = [];
  for (const { lanes, slots } of recording.batches())
    for (let at = 0; at < slots * SLOT_LANES; at += event.slots * SLOT_LANES) {
      event.move(lanes, at);
      if (event.kind !== 'xsk_packet') continue;
      packets.push({
        kept: event.u32('kept'),
        len: event.u32('len'),
        bytes: Buffer.from(event.text('packet'), 'hex'),
      });
    }
  return packets;
}

/** The scenario's own words, with the fault's fields in their places. */
function saidWords(fault: Fault, { says = [] }: Scenario): string[] {
  return says.map((word) =>
    word.replace(/\{(\w+)\}/g, (_, field: string) => {
      const value = (fault as unknown as Record<string, unknown>)[field];
      expect(value, `the fault's line has ${field}`).toBeDefined();
      return String(value);
    }),
  );
}

function wordsOf(fault: Fault, { workload }: Scenario, recording: Recording): string[] {
  if (workload === 'program') return [];
  if (fault.fault === 'bind-collision') {
    const collided = recording.meta.objects.filter(
      ({ type, ifindex }) => type === 'queue' && ifindex === fault.ifindex,
    );
    const spaces = [...new Set(collided.map(({ netns }) => `netns ${netns}`))];
    expect(spaces.length).toBeGreaterThan(0);
    return [`ifindex ${fault.ifindex} q${fault.queue}`, 'EINVAL', ...spaces];
  }
  const { netns } = placeOf(fault, recording);
  const place = `${fault.ifname} q${fault.queue} (netns ${netns})`;
  if (fault.addr === '0x0') return [place];
  const isAddress = /out-of-bounds|poison/.test(fault.fault);
  return [place, isAddress ? fault.addr : fault.frame];
}

/** The release's, which scripts/setup.sh has put into the cache. */
const OWN = readDefaultVersion(labCacheDir()) ?? '';

/** Zero copy by one packet at a time: no driver of a card that the emulator has asks for packets in this way. */
const IN_NO_DRIVER_HERE = ['xsk_zc_peek'];

/** Names of probes, over all kernels. */
const attached = new Set<string>();
const ran = new Set<string>();

/** All scenarios on one kernel; on the newest that can be had, those that stand for them. */
const KERNELS: readonly {
  title: string;
  boot: BootOptions;
  scenarios: readonly Scenario[];
  whole: boolean;
}[] = [
  {
    title: "the release's kernel",
    boot: {},
    scenarios: SCENARIOS.filter((scenario) => runsOn(scenario, OWN)),
    whole: true,
  },
  { title: 'the newest kernel', boot: { kernel: 'newest' }, scenarios: selection(SCENARIOS), whole: false },
];

/** Labs that run at the same time: one alone leaves a part of two cores unused. */
const LABS = 2;
const TIME_LIMIT_MS = 300_000 + KERNELS.reduce((sum, { scenarios }) => sum + scenarios.length, 0) * 60_000;

const share = mkdtempSync(join(tmpdir(), 'flightring-scenarios-'));
afterAll(() => rmSync(share, { recursive: true, force: true }));

/** The results of each kernel, by its title. */
const runs = new Map<string, ScenarioResults>(KERNELS.map(({ title }) => [title, new Map()]));

beforeAll(async () => {
  const began = performance.now();
  const parts = KERNELS.flatMap(({ title, boot, scenarios }) =>
    divide(scenarios, LABS).map((part) => ({ title, boot, names: part.map(({ name }) => name) })),
  );
  const runPart = async ({ title, boot, names }: (typeof parts)[0]) => {
    const shareDir = mkdtempSync(join(share, 'lab-'));
    const results = await runScenarios({ ...boot, shareDir }, names, {
      root: ROOT,
      lastEvents: SCENARIO_EVENTS,
      // A log that ends early says where.
      onProgress: (name, what) => {
        const seconds = ((performance.now() - began) / 1000).toFixed(0);
        process.stderr.write(`scenarios: ${title}: ${seconds} s: ${name}: ${what}\n`);
      },
    });
    for (const [name, result] of results) runs.get(title)?.set(name, result);
  };
  const work = async () => {
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
      const { title, names } = part;
      await runPart(part).catch((error: unknown) => {
        const cause = error instanceof Error ? error : new Error(String(error));
        for (const name of names) runs.get(title)?.set(name, cause);
      });
    }
  };
  await Promise.all(Array.from({ length: LABS }, work));
}, TIME_LIMIT_MS);

describe.each(KERNELS)('$title', ({ title, scenarios, whole }) => {
  const results = runs.get(title) as ScenarioResults;

  afterAll(() => {
    for (const result of results.values()) {
      if (result instanceof Error) continue;
      for (const { probe, status } of result.coverage) if (status === 'attached') attached.add(probe);
      for (const { probe } of result.summary.costs.probes ?? []) ran.add(probe);
    }
  });

  function resultOf({ name }: Scenario): ScenarioResult {
    const result = results.get(name);
    if (result === undefined || result instanceof Error) throw result ?? new Error(`${name} has no result`);
    return result;
  }

  const faulty = scenarios.filter(({ expects }) => expects.length > 0);
  const healthy = scenarios.filter(({ expects }) => expects.length === 0);

  test('there are healthy and faulty scenarios, and every probe is attached, or says why not', () => {
    expect(faulty.length).toBeGreaterThan(whole ? 10 : 6);
    expect(new Set(scenarios.flatMap(({ paths }) => paths)).size).toBe(7);
    for (const { name, workload, says } of faulty)
      expect(
        workload !== 'program' || (says ?? []).length > 0,
        `${name} says what its sentence must name`,
      ).toBe(true);
    expect(healthy.length).toBeGreaterThan(0);
    for (const scenario of scenarios) {
      const { coverage } = resultOf(scenario);
      expect(probeFaults(coverage)).toEqual([]);
      if (whole) expect(coverage.filter(({ status }) => status !== 'attached')).toEqual([]);
    }
  });

  /** Warnings that a healthy scenario explains are no noise. */
  function expectSilence(
    result: ScenarioResult,
    { mayExpect = [], keep = false, wires = 0 }: Scenario,
  ): void {
    const { violations, lost, unseen, objectsDropped, counts, events } = result.summary;
    // The kernel runs no program inside itself: what interrupts one on its own function goes unrecorded, which no recorder
    // can help, and is counted. Cards interrupt often; the clock does everywhere, and now and then hits a program.
    const isRare =
      result.summary.recursionMisses * (wires > 0 ? MISSES_SHARE.wires : MISSES_SHARE.none) < events;
    const recursionMisses = isRare ? 0 : result.summary.recursionMisses;
    expect(firedBy(result).filter((name) => !mayExpect.includes(name))).toEqual([]);
    const warnings = mayExpect.reduce(
      (left, name) => left - (counts[name]?.fired ?? 0),
      result.summary.warnings,
    );
    expect({ violations, warnings, lost, unseen, recursionMisses, objectsDropped }).toEqual({
      violations: 0,
      warnings: 0,
      lost: 0,
      unseen: 0,
      recursionMisses: 0,
      objectsDropped: 0,
    });
    expect(result.recordings.length).toBe(keep ? 1 : 0);
  }

  /** The lab's kernel has this fault no more: nothing may fire. */
  function isMended(scenario: Scenario): boolean {
    return scenarioOn(scenario, resultOf(scenario).kernel).expects.length === 0;
  }

  describe.each(healthy)('$name: $about', (scenario) => {
    test('nothing fires and nothing is lost', () => {
      const result = resultOf(scenario);
      expectSilence(result, scenario);
      if (scenario.name === 'healthy') expect(result.summary.events).toBeGreaterThanOrEqual(HEALTHY_EVENTS);
    });
  });

  test.each(scenarios.filter(({ name }) => name === 'xsk-race'))(
    'the publish race, derived from the recording of $name, is told with both CPUs',
    async (scenario) => {
      const { recording, summary } = await checkOnHost(resultOf(scenario));
      expect(summary.violations).toEqual([]);
      const race = derivePublishRace(recording) as Race;
      expect(race, 'polls of one queue on two CPUs').toBeDefined();
      const derived = await checkRecording(race.recording);
      const told = derived.summary.violations.filter(({ invariant }) => invariant === 'xsk.publish-race');
      expect(told[0]?.sentence).toContain(`CPU ${race.flushes} published RX entry ${race.position} of`);
      expect(told[0]?.sentence).toContain(
        `while CPU ${race.receives}'s receive had not written its descriptor`,
      );
    },
  );

  test.each(scenarios.filter(({ attach }) => attach === 'kprobe'))(
    '$name was recorded by kprobes alone',
    (scenario) => {
      const functions = resultOf(scenario).coverage.filter(({ method }) => method !== 'raw_tp');
      expect(functions.length).toBeGreaterThan(10);
      expect(new Set(functions.map(({ method }) => method))).toEqual(new Set(['kprobe', 'kretprobe']));
    },
  );

  test.each(scenarios.filter(({ snaplen }) => snaplen))(
    '$name kept the first bytes of the packets that were sent, and no more; nobody else kept any',
    async (scenario) => {
      const { recording } = await checkOnHost(resultOf(scenario));
      const packets = packetsIn(recording);
      expect(packets.length).toBeGreaterThan(10);
      for (const { kept, len, bytes } of packets) {
        expect(kept).toBe(Math.min(len, scenario.snaplen as number));
        // Zeros at the end are not written down.
        expect(bytes.length).toBeLessThanOrEqual(kept);
      }
      const sent = packets.filter(({ bytes }) => bytes.readUInt16BE(12) === IPV4 && bytes[23] === UDP);
      expect(sent.length).toBeGreaterThan(packets.length / 2);
      const { recording: other } = await checkOnHost(resultOf({ ...scenario, name: 'double-fill' }));
      expect(packetsIn(other)).toEqual([]);
    },
  );

  describe.each(faulty)('$name: $about', (scenario) => {
    test('one of the expected invariants fires, and no other', () => {
      const result = resultOf(scenario);
      if (isMended(scenario)) return expectSilence(result, { ...scenario, mayExpect: [] });
      const names = firedBy(result);
      expect(names.filter((name) => scenario.expects.includes(name)).length).toBeGreaterThan(0);
      expect([...scenario.expects, ...(scenario.mayExpect ?? [])]).toEqual(expect.arrayContaining(names));
      expect(result.summary.lost).toBe(0);
      expect(result.summary.failures).toEqual([]);
    });

    test('the recording is private, and replays to the live verdict event for event', async () => {
      if (isMended(scenario)) return;
      const check = await checkOnHost(resultOf(scenario));
      expect(statSync(check.recording.path).mode & 0o777).toBe(0o600);
      expect(check.recording.damage).toBeNull();
      expect(check.recording.meta.violations.length).toBeGreaterThan(0);
      // What was seen live with its history before the window is told apart; the rest is found again, event for event.
      const early = new Set(check.outOfWindow.map(({ invariant, at }) => `${invariant} ${at.cpu} ${at.seq}`));
      const within = check.recording.meta.violations.filter(
        ({ invariant, at }) => !early.has(`${invariant} ${at.cpu} ${at.seq}`),
      );
      expect(check.summary.violations).toEqual(within);
      expect(check.comparison).toMatchObject({ missing: [], added: [], changed: [] });
    });

    test('the sentence names what the workload says it did', async () => {
      if (isMended(scenario)) return;
      const result = resultOf(scenario);
      const fault = faultOf(result);
      const { recording } = await checkOnHost(result);
      const found = recording.meta.violations.filter(({ invariant }) => scenario.expects.includes(invariant));
      const told = found.map(({ object, sentence }) => `${object}: ${sentence}`);
      for (const word of [...wordsOf(fault, scenario, recording), ...saidWords(fault, scenario)])
        expect(
          told.some((text) => text.includes(word)),
          `${word} in\n${told.join('\n')}`,
        ).toBe(true);
    });
  });

  describe.each(faulty.filter(({ tripwire }) => tripwire))('tripwire of $name', (scenario) => {
    test('the kernel froze inside the offending event, and the invariant agreed', async () => {
      const result = resultOf(scenario);
      const { recording } = await checkOnHost(result);
      const { freeze, violations } = recording.meta;
      expect(freeze?.cause).toBe('tripwire');
      expect(freeze?.latencyNs).toBeLessThan(1_000_000);
      const offending =
        violations.find(({ at }) => at.ts === freeze?.offendingTs) ??
        violations.find(({ invariant }) => scenario.expects.includes(invariant));
      expect(scenario.expects).toContain(offending?.invariant);
      expect(laterEvents(recording, offending?.at.cpu as number, offending?.at.ts as number)).toBe(0);
      expect(result.summary.unconfirmedTrips).toBe(0);
    });
  });
});

// The last: the kernels' scenarios must have been run.
test('every probe ran on one of the kernels, by the count that these keep', () => {
  const silent = PROBE_PATHS.flatMap(({ probes }) => probes).filter(
    ({ name, orElse = name }) => attached.has(name) && !ran.has(name) && !ran.has(orElse),
  );
  expect(ran.size).toBeGreaterThan(100);
  expect(silent.map(({ name }) => name).filter((name) => !IN_NO_DRIVER_HERE.includes(name))).toEqual([]);
});
