// From a recording to the data of its page: what is embedded, by which rule, and what is left out.

import { basename } from 'node:path';
import type { Invariant } from '../check/invariant.ts';
import { INVARIANTS } from '../generated/invariants.ts';
import type { RecordingMeta } from '../model/recording.ts';
import type { EventRef, Violation } from '../model/violation.ts';
import type { Recording } from '../recording/open.ts';
import { parseSelector } from '../report/selector.ts';
import { meaningOf, nextCommands } from '../report/violation.ts';
import { diagramOf } from './diagram.ts';
import { embeddedOf } from './embedded.ts';
import { factsOf } from './facts.ts';
import { isLate } from './late.ts';
import {
  AFTER,
  BEFORE,
  CPU_LANES_MAX,
  EVIDENCE_MAX,
  FOLLOWED_MAX,
  LAST,
  LIVES_MAX,
  THREAD_LANES_MAX,
  VIOLATIONS_MAX,
  WHOLE,
} from './limits.ts';
import { type Followed, followObjects, type LifePlan } from './lives.ts';
import type { PageCpu, PageData, PageEvidence, PageLife, PageViolation } from './model.ts';
import { plain, Strings } from './plain.ts';
import { readRows, type Rows } from './rows.ts';
import { type Places, type Survey, surveyRecording } from './survey.ts';

/** Reads the recording three times, a batch at a time; `onProgress` is told records of all three readings together. */
export function buildPage(
  recording: Recording,
  onProgress: (done: number, total: number) => void = () => {},
): PageData {
  const { meta } = recording;
  const total = recording.rows * 3;
  const during = (reading: number) => (records: number) =>
    onProgress(reading * recording.rows + records, total);
  const shown = meta.violations
    .slice(0, VIOLATIONS_MAX)
    .map((violation) => ({ ...violation, evidence: violation.evidence.slice(-EVIDENCE_MAX) }));
  const survey = surveyRecording(recording, shown, during(0));
  const plans = planLives(shown, survey.places);
  const lives = followObjects(recording, plans.lives, during(1));
  const base = shown[0]?.at.ts ?? survey.first ?? survey.firstGap ?? Number(meta.clocks.monotonicNs);
  const strings = new Strings();
  const rows = readRows(
    recording,
    {
      wanted: choosePositions(survey, lives),
      base,
      first: survey.first ?? survey.firstGap ?? base,
      last: survey.last ?? base,
      cpus: new Set(most(survey.cpus, CPU_LANES_MAX)),
      threads: new Set(most(survey.threads, THREAD_LANES_MAX)),
      strings,
    },
    during(2),
  );
  const pageLives = lives.map((followed) => pageLife(followed, rows, strings));
  const { kernel } = meta;
  return {
    format: 1,
    file: plain(basename(recording.path)),
    flightring: plain(meta.flightring),
    createdAt: plain(meta.createdAt),
    kernel: { release: plain(kernel.release), machine: plain(kernel.machine), cpus: kernel.cpus },
    base,
    range: survey.first === null || survey.last === null ? null : [survey.first - base, survey.last - base],
    strings: strings.texts,
    kinds: rows.kinds,
    threads: rows.threads,
    rows: rows.rows,
    gaps: rows.gaps,
    gapsLeftOut: rows.gapsLeftOut,
    lives: pageLives,
    violations: shown.map((violation, v) => {
      const planned = plans.byViolation[v] ?? [];
      const own = lives.find(({ plan }) => plan.own && planned.includes(plan));
      return pageViolation(violation, {
        recording,
        base,
        rowAt: rows.rowAt,
        places: survey.places[v] as Places,
        lives: planned.flatMap((plan) => {
          const index = lives.findIndex((followed) => followed.plan === plan);
          return index < 0 || lives[index]?.points.length === 0 ? [] : [index];
        }),
        own,
      });
    }),
    violationsLeftOut: meta.violations.length - shown.length,
    cpus: cpusOf(meta, survey, base),
    density: rows.density,
    embedded: embeddedOf(survey, rows, lives, meta),
    frozenAt: meta.freeze ? meta.freeze.flippedTs - base : null,
    facts: factsOf(recording, survey),
  };
}

function invariantOf({ invariant }: Violation): Invariant | undefined {
  return INVARIANTS.find(({ name }) => name === invariant);
}

/** The violation's own object first, then those that its evidence speaks of; an object of two violations is one. */
function planLives(
  violations: readonly Violation[],
  places: readonly Places[],
): { lives: LifePlan[]; byViolation: LifePlan[][] } {
  const plans = new Map<string, LifePlan>();
  const byViolation = violations.slice(0, FOLLOWED_MAX).map((violation, v) => {
    const { at, evidence, objects } = places[v] as Places;
    const own = parseSelector(violation.object);
    const related = [...objects]
      .map((text) => parseSelector(text))
      .filter((selector) => selector !== undefined);
    const wanted = [...(own ? [own] : []), ...related.filter(({ text }) => text !== own?.text)];
    return wanted.slice(0, LIVES_MAX).map((selector) => {
      const isOwn = selector === own;
      const behind = isOwn ? [...evidence, at] : [];
      const key = `${selector.text} ${selector.type === 'frame' ? '' : violation.invariant}`;
      const known = plans.get(key);
      if (known) {
        for (const position of behind) known.evidence.add(position);
        return known;
      }
      const plan: LifePlan = {
        object: plain(isOwn ? violation.object : selector.text),
        selector,
        own: isOwn,
        invariant: invariantOf(violation),
        until: at,
        evidence: new Set(behind),
      };
      plans.set(key, plan);
      return plan;
    });
  });
  return { lives: [...plans.values()], byViolation };
}

function choosePositions({ records, places }: Survey, lives: readonly Followed[]): Set<number> {
  const chosen = new Set<number>();
  const chooseRange = (from: number, to: number) => {
    for (let position = Math.max(0, from); position < Math.min(records, to); position++) chosen.add(position);
  };
  if (records <= WHOLE) {
    chooseRange(0, records);
    return chosen;
  }
  for (const { at, evidence } of places)
    for (const position of [at, ...evidence]) if (position >= 0) chosen.add(position);
  for (const { points } of lives) for (const { position } of points) chosen.add(position);
  for (const { at } of places.slice(0, FOLLOWED_MAX)) if (at >= 0) chooseRange(at - BEFORE, at + AFTER);
  if (!places.some(({ at }) => at >= 0)) chooseRange(records - LAST, records);
  return chosen;
}

function most(counts: ReadonlyMap<number, number>, limit: number): number[] {
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, limit)
    .map(([key]) => key);
}

function pageLife({ plan, track, points, earlier, later }: Followed, rows: Rows, strings: Strings): PageLife {
  const met = new Set(points.flatMap(({ station }) => station ?? []));
  const stations = [
    ...track.stations.filter((station) => track.all || met.has(station)),
    ...[...met].filter((station) => !track.stations.includes(station)),
  ];
  return {
    object: plan.object,
    selector: plain(plan.selector.text),
    stations: stations.map((station) => plain(station, 60)),
    about: track.about,
    points: points.flatMap(({ position, station, detail }) => {
      const row = rows.rowAt.get(position);
      if (row === undefined) return [];
      return [
        [
          row,
          station === undefined ? -1 : stations.indexOf(station),
          detail === '' ? -1 : strings.of(detail),
        ] as const,
      ];
    }),
    earlier,
    later,
  };
}

interface ViolationParts {
  readonly recording: Recording;
  readonly base: number;
  readonly rowAt: ReadonlyMap<number, number>;
  readonly places: Places;
  readonly lives: readonly number[];
  /** Its own object's life, if it has one. */
  readonly own: Followed | undefined;
}

function pageViolation(violation: Violation, parts: ViolationParts): PageViolation {
  const { recording, base, rowAt, places, lives, own } = parts;
  const invariant = invariantOf(violation);
  const evidenceOf = ({ ts, cpu, seq, kind }: EventRef, position: number): PageEvidence => ({
    row: rowAt.get(position) ?? -1,
    ts: ts - base,
    cpu,
    seq,
    kind: plain(kind),
    meaning: plain(meaningOf({ kind })),
  });
  const beyond = recording.meta.outOfWindow ?? [];
  return {
    invariant: plain(violation.invariant),
    severity: violation.severity,
    orderDependent: violation.orderDependent,
    object: plain(violation.object),
    sentence: plain(violation.sentence, 4000),
    claim: invariant?.claim ?? null,
    source: invariant?.source ?? null,
    outOfWindow: beyond.some(
      ({ invariant: name, object, at }) =>
        name === violation.invariant && object === violation.object && at.seq === violation.at.seq,
    ),
    at: evidenceOf(violation.at, places.at),
    evidence: violation.evidence.map((ref, i) => evidenceOf(ref, places.evidence[i] ?? -1)),
    lives,
    diagram: invariant
      ? diagramOf(
          invariant,
          {
            at: violation.at,
            evidence: evidenceOfOwn(violation, places, own),
          },
          {
            state: own?.track.pictured ? stationBefore(own, places.at) : undefined,
            late: isLate(violation, invariant, places.lanes, recording.meta),
          },
        )
      : null,
    commands: nextCommands(violation, recording.path).map((command) => plain(command, 2000)),
  };
}

/** Where none of it speaks of the object itself, all of it. */
function evidenceOfOwn(
  { evidence }: Violation,
  places: Places,
  own: Followed | undefined,
): readonly EventRef[] {
  const isOwn = (position: number) => position !== places.at && own?.ownEvidence.has(position);
  const owned = evidence.filter((_, i) => isOwn(places.evidence[i] ?? -1));
  return owned.length > 0 ? owned : evidence;
}

function stationBefore({ points }: Followed, at: number): string | undefined {
  return points.findLast(({ position, station }) => position < at && station !== undefined)?.station;
}

function cpusOf({ freeze }: RecordingMeta, { cpus }: Survey, base: number): PageCpu[] {
  const numbers = new Set([...most(cpus, CPU_LANES_MAX), ...(freeze?.window ?? []).map(({ cpu }) => cpu)]);
  return [...numbers]
    .sort((a, b) => a - b)
    .slice(0, CPU_LANES_MAX)
    .map((cpu) => {
      const held = (freeze?.window ?? []).filter((window) => window.cpu === cpu);
      const firsts = held.flatMap(({ firstTs }) => firstTs ?? []);
      const lasts = held.flatMap(({ lastTs }) => lastTs ?? []);
      return {
        cpu,
        events: cpus.get(cpu) ?? 0,
        window: firsts.length === 0 ? null : [Math.min(...firsts) - base, Math.max(...lasts) - base],
      };
    });
}
