// Dumps what exists in each network namespace, as records of the `*_exists` kinds.

import { existsSync } from 'node:fs';
import { encodeRecord, type RecordSpec } from '../../decode/encode-record.ts';
import { LAYOUTS } from '../../generated/layouts.ts';
import { SLOT_LANES } from '../../model/slot.ts';
import type { Answer } from './answer.ts';
import { type Devices, parseLinks, parseNetnsIds } from './links.ts';
import { findNamespaces, type Namespace, type NamespaceSearch } from './namespaces.ts';
import { parseFdb, parseNeighbours } from './neighbours.ts';
import { type Command, runScript, type ScriptResult } from './script.ts';
import { parseSockets } from './sockets.ts';
import { parsePolicies, parseStates } from './xfrm.ts';

/** Namespaces asked at once. */
const PARALLEL = 4;
/** The kernel marks a dump during which a table changed; such a namespace is asked again, so often in all. */
const ATTEMPTS = 3;
/** For all namespaces together; those not asked by then are counted. */
const TOTAL_LIMIT_MS = 60_000;

/** What one request showed: all of it existed at some time between `from` and `to`. */
export interface DumpPart {
  readonly from: number;
  readonly to: number;
  /** Whole records, without place in the order. */
  readonly lanes: Uint32Array;
}

export interface DumpOptions {
  /** The `*_exists` kinds that are wanted. */
  readonly kinds: readonly string[];
  /** Only the namespace with this cookie, and of what belongs to a device only what belongs to this one. */
  readonly only?: bigint | undefined;
  readonly ifindex?: number | undefined;
}

/** How a dump went. */
export interface DumpEnd {
  /** One clause each about what it doesn't hold; empty for a complete one. */
  readonly notes: readonly string[];
  readonly namespaces: number;
}

const LAYOUT = new Map(LAYOUTS.map((layout) => [layout.kind, layout]));

/** CLOCK_MONOTONIC, ns: the clock of events. */
function now(): number {
  return Number(process.hrtime.bigint());
}

interface Tool extends Command {
  /** Kinds that need it. */
  readonly kinds: readonly string[];
}

const LINK_KINDS = ['link_exists', 'link_address_exists', 'neigh_exists', 'vxlan_exists', 'vxlan_fdb_exists'];

/** No tool is asked for keys: what is never read can't be recorded. */
const TOOLS: readonly Tool[] = [
  { name: 'links', words: ['ip', '-j', '-d', 'address', 'show'], kinds: LINK_KINDS },
  { name: 'ids', words: ['ip', '-j', 'netns', 'list-id'], kinds: ['vxlan_exists'] },
  { name: 'neighbours', words: ['ip', '-j', 'neigh', 'show', 'nud', 'all'], kinds: ['neigh_exists'] },
  { name: 'fdb', words: ['bridge', '-j', 'fdb', 'show'], kinds: ['vxlan_fdb_exists'] },
  { name: 'states', words: ['ip', 'xfrm', 'state', 'list', 'nokeys'], kinds: ['xfrm_state_exists'] },
  { name: 'policies', words: ['ip', '-s', 'xfrm', 'policy', 'list'], kinds: ['xfrm_policy_exists'] },
  { name: 'sockets4', words: ['ss', '-H4tunaeO'], kinds: ['sockiter_socket_exists'] },
  { name: 'sockets6', words: ['ss', '-H6tunaeO'], kinds: ['sockiter_socket_exists'] },
];

/** Dumps, handing over each part as soon as it is there. */
export async function dump(options: DumpOptions, onPart: (part: DumpPart) => void): Promise<DumpEnd> {
  const wanted = new Set(options.kinds.filter((kind) => LAYOUT.has(kind)));
  const notes: string[] = [];
  const from = now();
  const search = findNamespaces({ threads: wanted.has('netns_task_exists'), only: options.only });
  if (search.left > 0) notes.push(`${search.left} namespaces or threads beyond the most that are looked at`);
  const encoder = new Encoder(notes);
  onPart({ from, to: now(), lanes: encoder.encode(placesOf(search, wanted)) });
  const tools = TOOLS.filter(({ kinds }) => kinds.some((kind) => wanted.has(kind)));
  // Of other devices no events are recorded: what is known of them now would soon be wrong.
  const isWanted = ({ kind, fields }: RecordSpec) =>
    wanted.has(kind) &&
    (options.ifindex === undefined ||
      fields['ifindex'] === undefined ||
      fields['ifindex'] === options.ifindex);
  if (tools.length > 0)
    await askAll(search, tools, wanted, notes, (part) =>
      onPart({ from: part.from, to: part.to, lanes: encoder.encode(part.records.filter(isWanted)) }),
    );
  encoder.finish();
  return { notes, namespaces: search.namespaces.length };
}

function placesOf({ namespaces, threads }: NamespaceSearch, wanted: ReadonlySet<string>): RecordSpec[] {
  const cookies = new Map(namespaces.map(({ inum, cookie }) => [inum, cookie]));
  const records: RecordSpec[] = [];
  if (wanted.has('netns_exists'))
    for (const { cookie: netns, inum } of namespaces)
      records.push({ kind: 'netns_exists', fields: { netns, inum } });
  for (const { tid, pid, inum, home } of threads) {
    const netns = cookies.get(inum);
    if (netns === undefined) continue;
    records.push({
      kind: 'netns_task_exists',
      tid,
      tgid: pid,
      fields: { netns, home: cookies.get(home) ?? 0n },
    });
  }
  return records;
}

async function askAll(
  { namespaces }: NamespaceSearch,
  tools: readonly Tool[],
  wanted: ReadonlySet<string>,
  notes: string[],
  onAnswer: (asked: Asked) => void,
): Promise<void> {
  const queue = [...namespaces];
  const names = new Map(namespaces.map(({ path, cookie }) => [path, cookie]));
  const missing = new Set<string>();
  const deadline = now() + TOTAL_LIMIT_MS * 1e6;
  const failures = new Tally();
  const worker = async () => {
    for (let namespace = queue.shift(); namespace && now() < deadline; namespace = queue.shift()) {
      const asked = await ask(namespace, tools, wanted, names, missing, failures);
      if (asked) onAnswer(asked);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  for (const tool of missing) notes.push(`${tool} is not installed`);
  if (queue.length > 0) failures.add(`not asked within ${TOTAL_LIMIT_MS / 1000} s`, queue.length);
  for (const [why, count] of failures.counts)
    notes.push(`${count} of ${namespaces.length} namespaces: ${why}`);
}

/** Counts by reason, so that a thousand namespaces that fail alike are one note. */
class Tally {
  readonly counts = new Map<string, number>();
  add(why: string, count = 1): void {
    this.counts.set(why, (this.counts.get(why) ?? 0) + count);
  }
}

interface Asked {
  readonly from: number;
  readonly to: number;
  readonly records: readonly RecordSpec[];
}

async function ask(
  { path, cookie }: Namespace,
  tools: readonly Tool[],
  wanted: ReadonlySet<string>,
  names: ReadonlyMap<string, bigint>,
  missing: Set<string>,
  failures: Tally,
): Promise<Asked | null> {
  for (let attempt = 1; ; attempt++) {
    const from = now();
    const result = await runScript(path, tools);
    const to = now();
    if (result.missing !== null) missing.add(result.missing);
    if (result.missing === 'nsenter') return null;
    if (result.sections.size === 0 && result.failure !== null) {
      // A namespace whose last process ended meanwhile is gone, and its events say so.
      if (existsSync(path)) failures.add(result.failure.replaceAll(path, 'it').slice(0, 160));
      return null;
    }
    const interrupted = /interrupted|terminated/i.test(result.errors);
    if (interrupted && attempt < ATTEMPTS) continue;
    if (interrupted) failures.add(`changed while it was read, ${ATTEMPTS} times in a row`);
    return { from, to, records: read(result, tools, cookie, wanted, names, failures) };
  }
}

/** The records in the tools' answers; what is no answer is counted. */
function read(
  result: ScriptResult,
  tools: readonly Tool[],
  netns: bigint,
  wanted: ReadonlySet<string>,
  names: ReadonlyMap<string, bigint>,
  failures: Tally,
): RecordSpec[] {
  const text = (name: string): string | undefined => {
    const tool = tools.find((candidate) => candidate.name === name);
    const section = result.sections.get(name);
    if (!tool) return undefined;
    if (section?.code === 0) return section.text;
    const why = result.failure ?? result.errors.split('\n')[0]?.slice(0, 120) ?? '';
    if (section?.code !== 127) failures.add(`"${tool.words.join(' ')}" failed${why ? ` (${why})` : ''}`);
    return undefined;
  };
  const answers: Answer[] = [];
  const ids = parseNetnsIds(text('ids') ?? '[]');
  const links = text('links');
  let devices: Devices = { ifindexOf: new Map(), vnis: new Map() };
  if (links !== undefined) {
    const answer = parseLinks(links, netns, wanted, (nsid) => names.get(`/run/netns/${ids.get(nsid)}`) ?? 0n);
    devices = answer.devices;
    answers.push(answer);
  }
  const add = (name: string, parse: (text: string) => Answer) => {
    const output = text(name);
    if (output !== undefined) answers.push(parse(output));
  };
  // Without the devices their names mean nothing.
  if (links !== undefined) {
    add('neighbours', (output) => parseNeighbours(output, netns, devices));
    add('fdb', (output) => parseFdb(output, netns, devices));
  }
  add('states', (output) => parseStates(output, netns));
  add('policies', (output) => parsePolicies(output, netns));
  add('sockets4', (output) => parseSockets(output, netns, 2));
  add('sockets6', (output) => parseSockets(output, netns, 10));
  const odd = answers.reduce((sum, answer) => sum + answer.odd, 0);
  if (odd > 0) failures.add('entries that could not be read', 1);
  return answers.flatMap(({ records }) => records);
}

class Encoder {
  readonly #notes: string[];
  #misfits = 0;

  constructor(notes: string[]) {
    this.#notes = notes;
  }

  encode(records: readonly RecordSpec[]): Uint32Array {
    const encoded: Uint32Array[] = [];
    let slots = 0;
    for (const record of records) {
      const layout = LAYOUT.get(record.kind);
      const lanes = layout ? encodeRecord(layout, record) : null;
      if (!layout || !lanes) {
        this.#misfits++;
        continue;
      }
      encoded.push(lanes);
      slots += layout.slots;
    }
    const all = new Uint32Array(slots * SLOT_LANES);
    let at = 0;
    for (const lanes of encoded) {
      all.set(lanes, at);
      at += lanes.length;
    }
    return all;
  }

  finish(): void {
    if (this.#misfits > 0) this.#notes.push(`${this.#misfits} entries with values that no record can hold`);
  }
}
