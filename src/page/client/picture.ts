// The picture: what is in sight, at which scale, and what is selected; drawn anew whenever one of them changes.

import type { PageViolation } from '../model.ts';
import type { Recording } from './data.ts';
import { h, s } from './dom.ts';
import { drawAxis, drawGaps, drawViolations } from './draw-axis.ts';
import { definitions } from './draw-definitions.ts';
import { drawEvidence } from './draw-evidence.ts';
import { drawLabels } from './draw-labels.ts';
import { drawLanes } from './draw-lanes.ts';
import { drawLives } from './draw-lives.ts';
import { type Frame, frameOf, textWidth } from './frame.ts';
import { type Lanes, layLanes } from './lanes.ts';
import { evenScale, type Scale, storyScale } from './scale.ts';

export type ScaleName = 'story' | 'time';

export interface PictureListener {
  /** Another event is selected, or the same again. */
  onSelect(row: number): void;
  /** Anything else has changed: the view, the scale, the violation. */
  onChange(): void;
}

/** In pixels. */
const GUTTER = { least: 130, most: 240, narrow: 104 } as const;
const NARROW = 720;
const MARGIN = 16;
const PRINT_WIDTH = 1040;
/** Steps of the story in sight at first, up to the violation. */
const STEPS = 11;

export class Picture {
  readonly element: SVGSVGElement;
  readonly recording: Recording;
  readonly #listener: PictureListener;
  readonly #layers = s('g');
  #violation = 0;
  #scaleName: ScaleName = 'time';
  #scale: Scale;
  #lanes: Lanes;
  #all = false;
  #from = 0;
  #to = 1;
  #selected = -1;
  #hits: ReadonlySet<number> | null = null;
  #frame: Frame | undefined;
  #drawing = 0;
  #width = 0;
  #refocusing = false;

  constructor(recording: Recording, listener: PictureListener) {
    this.recording = recording;
    this.#listener = listener;
    this.element = s(
      'svg',
      {
        class: 'picture',
        tabindex: 0,
        role: 'group',
        'aria-roledescription': 'timeline',
        'aria-label':
          'Timeline of the recording. Arrow keys move, plus and minus zoom, n and p go from event to event, ? lists all keys.',
      },
      definitions(),
      this.#layers,
    );
    this.#scale = evenScale(0, 1);
    this.#lanes = layLanes(recording, 0, false);
    this.#setScale(this.hasStory ? 'story' : 'time');
  }

  get violation(): PageViolation | undefined {
    return this.recording.page.violations[this.#violation];
  }
  get violationIndex(): number {
    return this.#violation;
  }
  get zero(): number {
    return this.violation?.at.ts ?? this.recording.page.range?.[0] ?? 0;
  }
  get scaleName(): ScaleName {
    return this.#scaleName;
  }
  /** Whether there are events enough to tell a story by. */
  get hasStory(): boolean {
    return this.#storyTimes().length >= 2;
  }
  /** A mark that was focused is drawn anew and gets its focus back: nobody chose it. */
  get refocusing(): boolean {
    return this.#refocusing;
  }
  get selected(): number {
    return this.#selected;
  }
  get hits(): ReadonlySet<number> | null {
    return this.#hits;
  }
  get hiddenLanes(): number {
    return this.#lanes.hidden;
  }
  get frame(): Frame | undefined {
    return this.#frame;
  }
  /** How much of the whole is in sight, 0 to 1. */
  get share(): number {
    return (this.#to - this.#from) / (this.#scale.to - this.#scale.from || 1);
  }

  showViolation(index: number): void {
    if (!this.recording.page.violations[index]) return;
    this.#violation = index;
    this.#lanes = layLanes(this.recording, index, this.#all);
    this.#setScale(this.#scaleName === 'story' && !this.hasStory ? 'time' : this.#scaleName);
    this.select(this.violation?.at.row ?? -1);
    this.#changed();
  }

  setScale(name: ScaleName): void {
    if (name === 'story' && !this.hasStory) return;
    this.#setScale(name);
    this.#changed();
  }

  showAllLanes(all: boolean): void {
    this.#all = all;
    this.#lanes = layLanes(this.recording, this.#violation, all);
    this.#changed();
  }

  get allLanes(): boolean {
    return this.#all;
  }

  mark(hits: ReadonlySet<number> | null): void {
    this.#hits = hits;
    this.#changed();
  }

  select(row: number): void {
    this.#selected = row;
    this.#listener.onSelect(row);
    this.draw();
  }

  /** Brings an event into sight, without a jump if it is there already. */
  reveal(row: number): void {
    const u = this.#scale.toU(this.recording.ts(row));
    const span = this.#to - this.#from;
    if (u < this.#from + span * 0.04 || u > this.#to - span * 0.04) this.look(u - span / 2, u + span / 2);
    else this.draw();
  }

  zoom(factor: number, x?: number): void {
    const { left, right } = this.#frame ?? { left: 0, right: 1 };
    const share = x === undefined ? 0.5 : Math.min(1, Math.max(0, (x - left) / (right - left)));
    const middle = this.#from + (this.#to - this.#from) * share;
    const span = Math.max(this.#scale.least, (this.#to - this.#from) / factor);
    this.look(middle - span * share, middle + span * (1 - share));
  }

  /** By a part of what is in sight. */
  pan(part: number): void {
    const by = (this.#to - this.#from) * part;
    this.look(this.#from + by, this.#to + by);
  }

  panPixels(pixels: number): void {
    if (this.#frame) this.pan(pixels / (this.#frame.right - this.#frame.left));
  }

  look(from: number, to: number): void {
    const { from: least, to: most } = this.#scale;
    const whole = most - least;
    const margin = whole * 0.02;
    const span = Math.min(to - from, whole + 2 * margin);
    this.#from = Math.min(Math.max(from, least - margin), most + margin - span);
    this.#to = this.#from + span;
    this.#changed();
  }

  /** Everything there is. */
  lookAtAll(): void {
    this.look(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY);
  }

  reset(): void {
    const [from, to] = this.#firstView();
    this.look(from, to);
  }

  jumpToViolation(): void {
    const { violation } = this;
    if (!violation) return this.reset();
    const u = this.#scale.toU(violation.at.ts);
    const span = this.#to - this.#from;
    this.look(u - span * 0.7, u + span * 0.3);
    this.select(violation.at.row);
  }

  /** Soon, and only once, however much has changed. */
  draw(): void {
    if (this.#drawing !== 0) return;
    this.#drawing = requestAnimationFrame(() => {
      this.#drawing = 0;
      this.drawNow();
    });
  }

  /** At a width of its own for paper. */
  drawNow(forPrint = false): void {
    this.#width = forPrint
      ? PRINT_WIDTH
      : Math.max(300, this.element.parentElement?.clientWidth ?? PRINT_WIDTH);
    const width = this.#width;
    const { height } = this.#lanes;
    const frame = frameOf({
      recording: this.recording,
      lanes: this.#lanes,
      violation: this.violation,
      scale: this.#scale,
      from: this.#from,
      to: this.#to,
      left: width < NARROW ? GUTTER.narrow : this.#gutter(),
      right: width - MARGIN,
      zero: this.zero,
      selected: this.#selected,
      hits: this.#hits,
    });
    this.#frame = frame;
    this.element.setAttribute('viewBox', `0 0 ${width} ${height}`);
    this.element.setAttribute('width', String(width));
    this.element.setAttribute('height', String(height));
    const focused = document.activeElement?.getAttribute('data-evidence');
    const plot = s(
      'g',
      { 'clip-path': 'url(#plot)' },
      ...drawLives(frame),
      ...drawLanes(frame),
      ...drawGaps(frame),
    );
    this.element
      .querySelector('#plot rect')
      ?.replaceWith(s('rect', { x: frame.left, width: Math.max(1, frame.right - frame.left), y: 0, height }));
    this.#layers.replaceChildren(
      ...drawAxis(frame, this.recording.page.frozenAt),
      plot,
      s('g', { 'clip-path': 'url(#plot)' }, ...drawViolations(frame)),
      ...drawEvidence(frame),
      s('g', { class: 'labels' }, ...drawLabels(frame)),
    );
    if (!focused) return;
    this.#refocusing = true;
    this.#layers
      .querySelector<SVGElement>(`[data-evidence="${focused}"]`)
      ?.focus({ preventScroll: true, focusVisible: true } as FocusOptions);
    this.#refocusing = false;
  }

  /** As wide as the longest name of a lane, within limits. */
  #gutter(): number {
    const { lives, cpus, threads } = this.#lanes;
    const lanes = [...lives.flatMap(({ stations }) => stations), ...cpus, ...threads];
    const longest = Math.max(0, ...lanes.map(({ label }) => textWidth(label)));
    return Math.min(GUTTER.most, Math.max(GUTTER.least, longest + 30));
  }

  #changed(): void {
    this.#listener.onChange();
    this.draw();
  }

  #setScale(name: ScaleName): void {
    const [from, to] = this.#bounds();
    this.#scaleName = name;
    this.#scale = name === 'story' ? storyScale(from, to, this.#storyTimes()) : evenScale(from, to);
    [this.#from, this.#to] = this.#firstView();
  }

  #bounds(): [number, number] {
    const { page, count } = this.recording;
    const times = [
      ...(page.range ?? []),
      ...(count > 0 ? [this.recording.ts(0), this.recording.ts(count - 1)] : []),
      ...page.violations.flatMap(({ at, evidence }) => [at.ts, ...evidence.map(({ ts }) => ts)]),
      // Without any event the gaps are all there is.
      ...(page.range === null ? page.gaps.flatMap(({ from, to }) => [from, to]) : []),
    ];
    if (times.length === 0) return [0, 1000];
    const [from, to] = [Math.min(...times), Math.max(...times)];
    const margin = Math.max(500, (to - from) * 0.01);
    return [from - margin, to + margin];
  }

  /** The times of the events that matter. */
  #storyTimes(): number[] {
    const { violation, recording } = this;
    if (!violation) return [];
    const rows = violation.lives.flatMap(
      (life) => recording.page.lives[life]?.points.map(([row]) => row) ?? [],
    );
    const times = [...rows.map((row) => recording.ts(row)), ...violation.evidence.map(({ ts }) => ts)];
    return [...new Set(times)].sort((a, b) => a - b);
  }

  #firstView(): [number, number] {
    const { violation } = this;
    const { scale, recording } = { scale: this.#scale, recording: this.recording };
    if (!violation) return [scale.from, scale.to];
    const first = violation.evidence[0]?.ts ?? violation.at.ts;
    const at = scale.toU(violation.at.ts);
    if (this.#scaleName === 'story') {
      const at0 = Math.min(scale.toU(first), Math.max(at - STEPS * 1.6, scale.from));
      const knots = scale.knots.filter((ts) => ts <= violation.at.ts);
      const start = knots.at(-STEPS) ?? scale.toTs(scale.from);
      return [Math.min(at0, scale.toU(start)) - 0.5, at + 2.2];
    }
    let span = violation.at.ts - first;
    if (span <= 0) {
      const row = Math.max(0, violation.at.row - 20);
      span = recording.count > 0 && violation.at.row >= 0 ? violation.at.ts - recording.ts(row) : 0;
    }
    span = Math.max(span, 2000);
    return [violation.at.ts - span * 1.3, violation.at.ts + span * 0.4];
  }
}

/** The box around the picture, which gives it its width. */
export function pictureBox(picture: Picture): HTMLElement {
  return h('div', { class: 'picture-box' }, picture.element);
}
