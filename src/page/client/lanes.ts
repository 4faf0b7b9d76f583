// Which lanes there are, and where: the objects' stations, the CPUs, the threads.

import { BEFORE_CPU, type PageLife } from '../model.ts';
import { cpuName, type Recording } from './data.ts';

export interface Lane {
  readonly id: number;
  readonly label: string;
  readonly remark: string;
  readonly y: number;
  readonly height: number;
}

export interface LifeBlock {
  readonly life: PageLife;
  readonly own: boolean;
  /** Top of its title, its stations below it. */
  readonly y: number;
  readonly height: number;
  readonly stations: readonly Lane[];
}

export interface Lanes {
  readonly lives: readonly LifeBlock[];
  readonly sections: readonly { readonly title: string; readonly y: number }[];
  readonly cpus: readonly Lane[];
  readonly threads: readonly Lane[];
  readonly height: number;
  /** Lanes that only `all` shows. */
  readonly hidden: number;
}

const AXIS = 52;
const SECTION = 26;
const STATION = 24;
const CPU = 52;
const THREAD = 28;
const BLOCK_GAP = 10;
const CPUS_FEW = 12;
const THREADS_FEW = 6;
const THREADS_ALL = 60;

export const TOP = AXIS;

export function layLanes(recording: Recording, violation: number, all: boolean): Lanes {
  const { page } = recording;
  let y = AXIS + 8;
  const sections: { title: string; y: number }[] = [];
  const lives = (page.violations[violation]?.lives ?? []).flatMap((index, i): LifeBlock[] => {
    const life = page.lives[index];
    if (!life) return [];
    const top = y;
    y += SECTION;
    const stations = life.stations.map((label, id) => ({
      id,
      label,
      remark: '',
      y: top + SECTION + id * STATION,
      height: STATION,
    }));
    y += stations.length * STATION + BLOCK_GAP;
    return [{ life, own: i === 0, y: top, height: y - top, stations }];
  });
  const cpuIds = chooseCpus(recording, violation, all);
  const threadIds = chooseThreads(recording, violation, all);
  const section = (title: string, count: number) => {
    if (count === 0) return;
    sections.push({ title, y });
    y += SECTION;
  };
  const stack = (ids: readonly number[], height: number, name: (id: number) => [string, string]): Lane[] =>
    ids.map((id) => {
      const [label, remark] = name(id);
      const lane = { id, label, remark, y, height };
      y += height;
      return lane;
    });
  section('CPUs', cpuIds.shown.length);
  const cpus = stack(cpuIds.shown, CPU, (cpu) => {
    const events = page.cpus.find((candidate) => candidate.cpu === cpu)?.events;
    return [cpuName(cpu), events === undefined ? '' : count(events)];
  });
  y += BLOCK_GAP;
  section('threads', threadIds.shown.length);
  const threads = stack(threadIds.shown, THREAD, (tid) => [threadName(recording, tid), '']);
  return { lives, sections, cpus, threads, height: y + 12, hidden: cpuIds.hidden + threadIds.hidden };
}

function count(events: number): string {
  return events < 10_000 ? String(events) : `${(events / 1000).toFixed(0)}k`;
}

/** The name that the thread had last. */
function threadName(recording: Recording, tid: number): string {
  const comm = recording.page.threads.findLast((thread) => thread.tid === tid)?.comm ?? '';
  return tid === 0 ? comm : `${comm}-${tid}`;
}

interface Chosen {
  readonly shown: readonly number[];
  readonly hidden: number;
}

/** Those of the evidence and of the objects first, then those with most events. */
function chooseCpus(recording: Recording, violation: number, all: boolean): Chosen {
  const { page } = recording;
  const weights = weigh(recording, violation, (row) => recording.cpu(row));
  for (const { cpu } of page.cpus) if (!weights.has(cpu)) weights.set(cpu, 0);
  // All of a CPU's events may be lost.
  for (const { cpu } of page.gaps) if (!weights.has(cpu)) weights.set(cpu, 1);
  for (const { cpu } of page.violations[violation]?.evidence ?? []) weights.set(cpu, Number.MAX_SAFE_INTEGER);
  const chosen = take(weights, all ? Number.POSITIVE_INFINITY : CPUS_FEW);
  const order = (cpu: number) => (cpu === BEFORE_CPU ? -1 : cpu);
  return { ...chosen, shown: [...chosen.shown].sort((a, b) => order(a) - order(b)) };
}

function chooseThreads(recording: Recording, violation: number, all: boolean): Chosen {
  const weights = weigh(recording, violation, (row) => recording.tid(row));
  return take(weights, all ? THREADS_ALL : THREADS_FEW);
}

function weigh(
  recording: Recording,
  violation: number,
  laneOf: (row: number) => number,
): Map<number, number> {
  const { page } = recording;
  const weights = new Map<number, number>();
  const add = (row: number, weight: number) => {
    if (row < 0) return;
    const lane = laneOf(row);
    weights.set(lane, (weights.get(lane) ?? 0) + weight);
  };
  for (let row = 0; row < recording.count; row++) add(row, 1);
  const { lives = [], evidence = [] } = page.violations[violation] ?? {};
  for (const life of lives) for (const [row] of page.lives[life]?.points ?? []) add(row, 1e4);
  for (const { row } of evidence) add(row, 1e8);
  return weights;
}

function take(weights: ReadonlyMap<number, number>, limit: number): Chosen {
  const sorted = [...weights].sort((a, b) => b[1] - a[1]).map(([id]) => id);
  return { shown: sorted.slice(0, limit), hidden: Math.max(0, sorted.length - limit) };
}
