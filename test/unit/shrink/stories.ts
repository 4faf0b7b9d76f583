// Recordings in which invariants are broken: AF_XDP in few words, and what runs in the lab left of the other paths, mixed.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LAYOUTS } from '../../../src/generated/layouts.ts';
import type { ObjectEntry } from '../../../src/model/objects.ts';
import type { RecordingMeta } from '../../../src/model/recording.ts';
import { writeParquet } from '../../../src/recording/parquet-write.ts';
import { BatchBuilder, type EventSpec } from '../batch.ts';
import { LISTENING, Sandbox } from '../invariants/link-setup.ts';
import { MAC, OTHER_VTEP, OverlayStory, VTEP } from '../invariants/overlay.ts';
import {
  FRAMES,
  makeObjects,
  OUTER_0,
  OUTER_1,
  SOCKET_INNER_0,
  SOCKET_OUTER_0,
  SOCKET_OUTER_1,
  Story,
} from '../invariants/setup.ts';
import { META } from '../report/story.ts';

const EVENTS_OF_BATCH = 200;
export const START = 1_000_000_000_000;

/** The objects of the AF_XDP stories. */
export function storyObjects(): ObjectEntry[] {
  const table = makeObjects();
  return Array.from({ length: table.length }, (_, index) => table.get(index) as ObjectEntry);
}

/** Writes a recording of these events, in batches of a few, without a live verdict. */
export function writeStory(
  path: string,
  events: readonly EventSpec[],
  objects: readonly ObjectEntry[] = storyObjects(),
  changes: Partial<RecordingMeta> = {},
): void {
  const builder = new BatchBuilder();
  const batches = [];
  for (let i = 0; i < events.length; i += EVENTS_OF_BATCH)
    batches.push(builder.build(events.slice(i, i + EVENTS_OF_BATCH)));
  const meta: RecordingMeta = {
    ...META,
    layouts: LAYOUTS,
    objects,
    invariants: [],
    violations: [],
    freeze: null,
    ...changes,
  };
  writeParquet({ meta, batches }, path);
}

/** Frames that go round on one queue, every frame and every position in its turn. */
export class Traffic extends Story {
  #position = 0;

  /** The next so many packets, polled on this CPU. */
  poll(cpu: number, packets: number): this {
    const first = this.#position;
    this.#position += packets;
    this.on(cpu);
    for (let i = first; i < first + packets; i++) this.fill(OUTER_1, i, frameOf(i));
    this.say('xsk_napi_begin', { object: OUTER_1 });
    for (let i = first; i < first + packets; i++) this.receive(OUTER_1, SOCKET_OUTER_1, i, i, frameOf(i));
    for (let i = first; i < first + packets; i++) this.publish(SOCKET_OUTER_1, i, frameOf(i) + 256);
    return this.say('xsk_flush', { object: OUTER_1 })
      .say('xsk_napi_complete', { object: OUTER_1, completed: 1 })
      .say('xsk_napi_end', { object: OUTER_1 });
  }

  get position(): number {
    return this.#position;
  }
}

/** Of the first half of the umem. */
function frameOf(position: number): number {
  return (position % (FRAMES / 2)) * 4096;
}

/** A frame that the traffic doesn't use. */
const FRAME = 0xf0000;

export function healthyTraffic(polls: number): Traffic {
  const traffic = new Traffic();
  for (let i = 0; i < polls; i++) traffic.poll(i % 3, 8);
  return traffic;
}

/** The race of the story: CPU 2 has reserved an entry and is kept from writing it, CPU 0 flushes. */
export function publishRace(polls = 20): Traffic {
  const traffic = healthyTraffic(polls);
  const at = traffic.position;
  traffic
    .on(0)
    .say('xsk_napi_begin', { object: OUTER_1 })
    .receive(OUTER_1, SOCKET_OUTER_1, at, at, FRAME)
    .say('xsk_napi_complete', { object: OUTER_1, completed: 1 })
    .on(2)
    .say('xsk_napi_begin', { object: OUTER_1 })
    .take(OUTER_1, at + 1, FRAME + 0x1000)
    .reserve(SOCKET_OUTER_1, at + 1)
    .on(0)
    .publish(SOCKET_OUTER_1, at, FRAME + 0x100)
    .publish(SOCKET_OUTER_1, at + 1, 0x22100)
    .on(2)
    .write(SOCKET_OUTER_1, at + 1, FRAME + 0x1100);
  return traffic;
}

/** By invariant: traffic in which it is broken once. */
export const XSK_STORIES: Readonly<Record<string, () => Story>> = {
  'xsk.publish-race': publishRace,
  'xsk.ownership': () => healthyTraffic(20).fill(OUTER_0, 7, FRAME).send(SOCKET_INNER_0, 3, FRAME),
  'xsk.double-enqueue': () => healthyTraffic(20).fill(OUTER_0, 7, FRAME).fill(OUTER_0, 8, FRAME),
  'xsk.descriptor-bounds': () => healthyTraffic(20).fill(OUTER_0, 7, 0xdead_beefn),
  'xsk.napi-overlap': () =>
    healthyTraffic(20)
      .on(0)
      .say('xsk_napi_begin', { object: OUTER_0 })
      .write(SOCKET_OUTER_0, 0, FRAME)
      .on(1)
      .say('xsk_napi_begin', { object: OUTER_0 })
      .on(0)
      .write(SOCKET_OUTER_0, 1, FRAME + 0x1000),
  'xsk.length': () =>
    healthyTraffic(20)
      .receive(OUTER_0, SOCKET_OUTER_0, 0, 0, FRAME, 60)
      .publish(SOCKET_OUTER_0, 0, FRAME + 256, 56),
  'xsk.fill-order': () => {
    const story = healthyTraffic(20);
    for (let i = 0; i < 4; i++) story.fill(OUTER_0, i, FRAME + i * 4096);
    return story.receive(OUTER_0, SOCKET_OUTER_0, 0, 0, FRAME).take(OUTER_0, 1, FRAME + 3 * 4096);
  },
  'xsk.starvation': () => {
    const story = healthyTraffic(20);
    for (let i = 0; i < 30; i++) story.after(10_000_000).drop(OUTER_0, 1 + (i % 2));
    return story;
  },
};

interface Told {
  readonly invariant: string;
  readonly sentence: string;
  readonly events: readonly EventSpec[];
}

/** What shrinking recordings of runs in the lab left; times from 0 on. */
export function labViolations(): readonly Told[] {
  const text = readFileSync(join(import.meta.dirname, 'violations.ndjson'), 'utf8').trim();
  return text.split('\n').map(
    (line) =>
      JSON.parse(line, (_key, value: unknown) =>
        // What JSON has no number for.
        typeof value === 'string' && /^(0x[\da-f]+|\d+)n$/.test(value) ? BigInt(value.slice(0, -1)) : value,
      ) as Told,
  );
}

/** Violations of all other paths, running at once, so that each has the others' events among its own. */
export function mixedPaths(): EventSpec[] {
  const early = new Sandbox().up().port(LISTENING).advertise({ port_state: LISTENING });
  const flap = new OverlayStory().learn(MAC, VTEP);
  for (let i = 0; i < 9; i++) flap.after(1e7).learn(MAC, i % 2 ? VTEP : OTHER_VTEP);
  const stories: (readonly EventSpec[])[] = [
    early.events,
    flap.events,
    ...labViolations().map(({ events }) => events),
  ];
  return stories
    .flatMap((events, i) => {
      const first = events[0]?.ts ?? 0;
      return events.map((event) => ({
        ...elsewhere(event, i),
        ts: START + i * 1_000_003 + event.ts - first,
      }));
    })
    .sort((a, b) => a.ts - b.ts);
}

/** The identities that another recording would have others of. */
const OWN_TYPES = new Set(['netns', 'tid', 'pid', 'cookie', 'pointer']);

/** In namespaces, threads and sockets of its own: what has the same address is not the same. */
function elsewhere(event: EventSpec, number: number): EventSpec {
  const fields = LAYOUTS.find(({ kind }) => kind === event.kind)?.fields ?? [];
  const own = new Set(fields.filter(({ type }) => OWN_TYPES.has(type)).map(({ name }) => name));
  const moved = Object.entries(event).map(([name, value]) => {
    if (!own.has(name) && name !== 'tid' && name !== 'pid') return [name, value];
    if (typeof value === 'bigint') return [name, value + BigInt(number * 0x10_0000)];
    return [name, typeof value === 'number' && value > 0 ? value + number * 0x10_0000 : value];
  });
  return Object.fromEntries(moved) as EventSpec;
}
