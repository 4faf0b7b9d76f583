// Reads a trace line by line into records, and accounts for every line.

import { KIND, LANE } from '../generated/layouts.ts';
import { HEAD, SLOT_LANES, SNAPSHOT_CPU } from '../model/slot.ts';
import { Account } from './account.ts';
import { Body } from './body.ts';
import { readBpftraceLine } from './bpftrace-line.ts';
import { createEncoder, type Encoder, readNumber, type Values } from './encode.ts';
import { readFtraceLine } from './ftrace-line.ts';
import { createFacts, isHeader, isStack, learnFacts, readLoss, whyNoLine } from './header.ts';
import { readLatencyLine } from './latency-line.ts';
import { createLine, MAX_TIME, type TraceFormat } from './line.ts';
import { createGlob, type Glob } from './glob.ts';
import { MAX_LINE } from './lines.ts';
import type { Mapping, Rule } from './mapping.ts';
import { type Port, TraceObjects } from './objects.ts';
import { matchPattern } from './pattern.ts';
import { addressAt } from './rings.ts';
import type { Spool } from './spool.ts';
import { Threads } from './threads.ts';

/** The names by which the kernel and the tools print what an application wrote into trace_marker. */
const MARKER_EVENTS: ReadonlySet<string> = new Set(['tracing_mark_write', 'print', 'trace_marker', 'marker']);
/** What trace-cmd calls the stack of the event before. */
const STACK_EVENTS: ReadonlySet<string> = new Set(['kernel_stack', 'user_stack']);
/** In front of a marker's text: the function that wrote it, or its address. */
const MARKER_HEAD =
  /^(?:tracing_mark_write|trace_marker_write|\[?0x[0-9a-f]{1,16}\]?|[0-9a-f]{8,16}|\[[0-9a-f]{8,16}\]): ?/;
/** Names of events whose rules are remembered; the others are looked up each time. */
const NAMES_MAX = 4096;
/** No event has a longer name. */
const NAME_MAX = 128;
const CPUS_MAX = SNAPSHOT_CPU;
const TID_MAX = 2 ** 32 - 1;
/** The first lines tell which tool wrote the trace. */
const FORMATS: Readonly<Record<TraceFormat, string>> = {
  ftrace: 'text of ftrace',
  'trace-cmd': 'text of trace-cmd report',
  perf: 'text of perf script',
  bpftrace: 'lines of bpftrace',
};

/** Rule number of a gap, which no rule makes. */
export const GAP_RULE = 0xffff;

const IGNORED = Symbol('ignored');
type Matching = readonly Encoder[] | typeof IGNORED;

/** By how much the sizes of events in a buffer differ: a marker is several times as long as a probe's event. */
const SIZES_APART = 8;

export class TraceReader {
  readonly account = new Account();
  readonly facts = createFacts();
  readonly threads = new Threads();
  readonly objects: TraceObjects;
  /** Lines per CPU, and the first time on each. */
  readonly cpus = new Map<number, { lines: number; firstTs: number; lastTs: number }>();
  firstTs = Number.POSITIVE_INFINITY;
  lastTs = 0;
  /** ns of the coarsest time that was printed. */
  unit = 1;
  lost = 0;
  /** How many records each rule has made. */
  readonly made: number[];
  readonly #mapping: Mapping;
  readonly #format: TraceFormat | 'auto';
  readonly #spool: Spool;
  readonly #line = createLine();
  readonly #body = new Body();
  readonly #events: readonly Encoder[];
  readonly #markers: readonly Encoder[];
  readonly #byName = new Map<string, Matching>();
  readonly #globs: readonly (readonly Glob[])[];
  readonly #ignored: readonly Glob[];
  /** By CPU what was lost in front of its next event. */
  readonly #losses = new Map<number, number>();
  readonly #gap = new Uint32Array(SLOT_LANES);
  readonly #receiving = new Set<Port>();
  #groups: Readonly<Record<string, string>> = {};
  #isEvent = false;
  readonly #values: Values = (name) => this.#value(name);

  constructor(mapping: Mapping, format: TraceFormat | 'auto', spool: Spool) {
    this.#mapping = mapping;
    this.#format = format;
    this.#spool = spool;
    this.objects = new TraceObjects(mapping.umem);
    this.#events = mapping.events.map(createEncoder);
    this.#markers = mapping.markers.map(createEncoder);
    this.made = [...mapping.events, ...mapping.markers].map(() => 0);
    this.#globs = mapping.events.map(({ names }) => names.map(createGlob));
    this.#ignored = mapping.ignore.map(createGlob);
  }

  take(read: string): void {
    const { account } = this;
    // Windows' editors and shells put a byte order mark in front of a text.
    const text = ++account.lines === 1 && read.startsWith('\ufeff') ? read.slice(1) : read;
    if (text.length > MAX_LINE) return account.unused('longer than any line of a trace', text);
    if (!this.#readHead(text)) return this.#takeOther(text);
    const line = this.#line;
    if (!(line.ts < MAX_TIME)) return account.unused('its time is out of range', text);
    if (line.cpu >= CPUS_MAX) return account.unused('its CPU is out of range', text);
    if (line.tid > TID_MAX || line.tgid > TID_MAX) return account.unused('its thread is out of range', text);
    this.#note();
    if (STACK_EVENTS.has(line.event)) account.headers++;
    else if (MARKER_EVENTS.has(line.event)) this.#takeMarker(text);
    else this.#takeEvent(text);
  }

  /** To be called behind the last line. */
  end(): void {
    for (const cpu of Array.from(this.#losses.keys())) this.#endLoss(cpu, this.lastTs);
  }

  /** Sockets into which the kernel was seen receiving, by their index in the recording. */
  hasReceives(resolved: ReadonlyMap<Port, Port>): ReadonlySet<number> {
    return new Set([...this.#receiving].map((port) => (resolved.get(port) ?? port).socket));
  }

  /**
   * CPUs whose older events may have been overwritten: the kernel says that some were, and not on which CPU. Buffers are of
   * one size, so that those of CPUs with very few events are not full.
   */
  lateCpus(): { readonly cpu: number; readonly firstTs: number }[] {
    if (!this.facts.wrapped) return [];
    const most = Math.max(0, ...[...this.cpus.values()].map(({ lines }) => lines));
    return [...this.cpus]
      .filter(([, { lines, firstTs }]) => lines * SIZES_APART >= most && firstTs > this.firstTs)
      .map(([cpu, { firstTs }]) => ({ cpu, firstTs }));
  }

  describeFormat(): string {
    return this.#format === 'auto' ? 'a text trace' : FORMATS[this.#format];
  }

  #readHead(text: string): boolean {
    const format = this.#format;
    if (format === 'bpftrace') return readBpftraceLine(text, this.#line);
    if (readFtraceLine(text, this.#line, format)) return !this.#line.event.startsWith('PERF_RECORD_');
    if (format !== 'perf' && readLatencyLine(text, this.#line)) return true;
    return format === 'auto' && readBpftraceLine(text, this.#line);
  }

  #takeOther(text: string): void {
    const { account } = this;
    const loss = readLoss(text);
    if (loss !== null) {
      account.losses++;
      const lost = Math.max(1, loss.lost);
      this.#losses.set(loss.cpu, (this.#losses.get(loss.cpu) ?? 0) + lost);
    } else if (isHeader(text)) {
      account.headers++;
      learnFacts(text, this.facts);
    } else if (isStack(text)) account.headers++;
    else account.unused(whyNoLine(text), text);
  }

  /** What any line teaches, whether or not a rule names its event. */
  #note(): void {
    const { cpu, ts, tid, comm, unit } = this.#line;
    if (this.#losses.size > 0) {
      if (this.#losses.has(cpu)) this.#endLoss(cpu, ts);
      if (this.#losses.has(-1)) this.#endLoss(-1, ts);
    }
    const known = this.cpus.get(cpu);
    if (known === undefined) this.cpus.set(cpu, { lines: 1, firstTs: ts, lastTs: ts });
    else {
      known.lines++;
      known.firstTs = Math.min(known.firstTs, ts);
      known.lastTs = ts;
    }
    if (ts < this.firstTs) this.firstTs = ts;
    if (ts > this.lastTs) this.lastTs = ts;
    if (unit > this.unit) this.unit = unit;
    this.threads.note(tid, comm, ts);
  }

  /** The events lost lie between the CPU's last event and this one. */
  #endLoss(cpu: number, until: number): void {
    const lost = this.#losses.get(cpu) as number;
    this.#losses.delete(cpu);
    this.lost += lost;
    const gap = this.#gap;
    gap.fill(0);
    gap[HEAD.kindFlags] = KIND.gap;
    gap[HEAD.cpu] = Math.max(0, cpu);
    // Of a CPU without an event before it, or of an unknown one: from wherever the trace begins.
    setTime(gap, 0, cpu < 0 ? this.lastTs : (this.cpus.get(cpu)?.lastTs ?? 0));
    gap[LANE.gap.lost] = lost;
    gap[LANE.gap.lost + 1] = Math.floor(lost / 0x1_0000_0000);
    gap[LANE.gap.reason] = 1;
    gap[LANE.gap.until] = until;
    gap[LANE.gap.until + 1] = Math.floor(until / 0x1_0000_0000);
    this.#spool.add(gap, GAP_RULE);
  }

  #takeEvent(text: string): void {
    const line = this.#line;
    const matching = this.#matching();
    if (matching === IGNORED) {
      this.account.ignored++;
      return;
    }
    this.#body.read(line.body);
    this.#isEvent = true;
    const reason = `no rule names the event ${line.event.slice(0, 64)}`;
    this.#apply(matching, line.body, reason, text);
  }

  #takeMarker(text: string): void {
    const said = this.#line.body.replace(MARKER_HEAD, '');
    if (this.#mapping.ignoreMarkers.some((pattern) => matchPattern(pattern, said) !== null)) {
      this.account.ignored++;
      return;
    }
    this.#isEvent = false;
    this.#apply(this.#markers, said, 'no rule fits the marker', text);
  }

  /** Applies all rules that fit; the line is one of ours if one did. */
  #apply(encoders: readonly Encoder[], said: string, reason: string, text: string): void {
    let fitting = 0;
    let misfit: string | null = null;
    for (const encoder of encoders) {
      if (!this.#fits(encoder.rule, said)) continue;
      fitting++;
      misfit ??= this.#make(encoder);
    }
    const { account } = this;
    if (fitting === 0) account.unused(reason, text);
    else if (misfit !== null) account.unused(misfit, text);
    else if (this.#isEvent) account.events++;
    else account.markers++;
  }

  #fits({ text, function: probed, when }: Rule, said: string): boolean {
    this.#groups = {};
    if (probed !== null && this.#body.function !== probed) return false;
    if (text !== null) {
      const groups = matchPattern(text, said);
      if (groups === null) return false;
      this.#groups = groups;
    }
    return when.every(([key, value]) => this.#value(key) === value);
  }

  /** Null if a record was made. */
  #make(encoder: Encoder): string | null {
    const { rule, lanes } = encoder;
    const misfit = encoder.encode(this.#values);
    if (misfit !== null) return `${rule.kind.kind}: ${misfit}`;
    const line = this.#line;
    lanes[HEAD.tid] = line.tid;
    lanes[HEAD.tgid] = line.tgid;
    lanes[HEAD.cpu] = line.cpu;
    setTime(lanes, 0, line.ts);
    if (rule.kind.path === 'xsk') {
      const problem = this.#findObject(rule, lanes);
      if (problem !== null) return `${rule.kind.kind}: ${problem}`;
    }
    this.#spool.add(lanes, rule.number);
    this.made[rule.number] = (this.made[rule.number] as number) + 1;
    return null;
  }

  #findObject(rule: Rule, lanes: Uint32Array): string | null {
    const { objects } = this;
    const { ts } = this.#line;
    const kind = rule.kind.number;
    const port = this.#findPort(rule);
    if (typeof port === 'string') return port;
    const address = HAS_ADDRESS[kind] === 1 ? addressAt(lanes, 0) : -1;
    if (address >= 0) objects.noteAddress(address, ts);
    if (SINCE[kind] !== 0) setSince(lanes, SINCE[kind] as number, ts);
    // Index 0 is the umem: what happens to one of its frames is known even if it isn't known on which socket.
    if (port === null) {
      objects.usesUmem = true;
      return null;
    }
    lanes[LANE.xsk_rx_write.object] = objects.indexIn(kind, port);
    if (kind === KIND.xsk_rx_write) {
      objects.noteReceive(port, address);
      this.#receiving.add(port);
    }
    if (kind === KIND.xsk_rx_publish) objects.noteSeen(port, address);
    return null;
  }

  /** The port that the line names, null if it names none, or what is wrong with its name. */
  #findPort(rule: Rule): ReturnType<TraceObjects['named']> | string {
    const { by } = this.#mapping.port;
    const { ts } = this.#line;
    const part = (name: string): string | undefined =>
      rule.port[name] === undefined ? undefined : this.#value(rule.port[name]);
    if (by.length > 0 && by.every((name) => part(name) !== undefined)) {
      const numbers = ['queue', 'ifindex', 'netns'].map((name) =>
        by.includes(name) ? readNumber(part(name) as string, 10) : 0,
      );
      const [queue, ifindex, netns] = numbers;
      if (!isU32(queue) || !isU32(ifindex) || netns == null) return 'what names its port is no number';
      const device = by.includes('device') ? (part('device') as string).slice(0, 64) : undefined;
      const name = { device, queue, ifindex, netns: BigInt.asUintN(64, BigInt(netns)) };
      return this.objects.named(name, ts) ?? 'there are more ports than flightring knows';
    }
    const pointer = part('pointer');
    if (pointer === undefined) return null;
    if (readNumber(pointer, 16) === null) return `${rule.port['pointer']} is no pointer`;
    return this.objects.pointedTo(pointer, ts) ?? 'there are more ports than flightring knows';
  }

  #value(name: string): string | undefined {
    const group = this.#groups[name];
    if (group !== undefined) return group;
    if (name.startsWith('@')) return this.#own(name);
    return this.#isEvent ? this.#body.get(name) : undefined;
  }

  /** What the line itself says. */
  #own(name: string): string | undefined {
    const { comm, tid, tgid, cpu } = this.#line;
    switch (name) {
      case '@comm':
        return comm;
      case '@tid':
        return String(tid);
      case '@pid':
        return String(tgid);
      case '@cpu':
        return String(cpu);
      case '@function':
        return this.#body.function;
      case '@caller':
        return this.#body.caller;
      default:
        return undefined;
    }
  }

  #matching(): Matching {
    const { event, group } = this.#line;
    const name = group === '' ? event : `${group}:${event}`;
    if (name.length > NAME_MAX) return [];
    let matching = this.#byName.get(name);
    if (matching !== undefined) return matching;
    const fits = (glob: Glob) => glob(event) || glob(name);
    const encoders = this.#events.filter((_, i) => {
      const globs = this.#globs[i] as readonly Glob[];
      return globs.length === 0 || globs.some(fits);
    });
    matching = encoders.length === 0 && this.#ignored.some(fits) ? IGNORED : encoders;
    if (this.#byName.size < NAMES_MAX) this.#byName.set(name, matching);
    return matching;
  }
}

function isU32(value: number | bigint | null | undefined): value is number {
  return typeof value === 'number' && value >= 0 && value <= 0xffff_ffff;
}

export function setTime(lanes: Uint32Array, at: number, ts: number): void {
  lanes[at + HEAD.tsLow] = ts;
  lanes[at + HEAD.tsHigh] = Math.floor(ts / 0x1_0000_0000);
}

function setSince(lanes: Uint32Array, lane: number, ts: number): void {
  if (lanes[lane] !== 0 || lanes[lane + 1] !== 0) return;
  lanes[lane] = ts;
  lanes[lane + 1] = Math.floor(ts / 0x1_0000_0000);
}

/** By kind: 1 if it has an address; and the lane of `since`, which is the event's own time where nothing is said. */
const HAS_ADDRESS = new Uint8Array(256);
const SINCE = new Uint8Array(256);
for (const [kind, lanes] of Object.entries(LANE)) {
  const number = (KIND as Record<string, number>)[kind] as number;
  if (kind.startsWith('xsk_') && 'addr' in lanes) HAS_ADDRESS[number] = 1;
  if (kind.startsWith('xsk_') && 'since' in lanes) SINCE[number] = lanes.since;
}
