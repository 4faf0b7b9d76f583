// One event as a plain object for `--json`: the columns of the Parquet export, names instead of numbers where there are any.

import type { EventView } from '../decode/event-view.ts';
import { NO_OBJECT } from '../model/objects.ts';
import { GAP_KIND } from '../model/slot.ts';
import type { Violation } from '../model/violation.ts';
import { fieldText, flagWords } from './fields.ts';
import { gapReason } from './gap.ts';
import { handleOf, type NamedObjects } from './objects.ts';
import type { ThreadNames } from './threads.ts';

/** Types that are numbers to a program, and words only to a person. */
const NUMBERS = new Set([
  'u8',
  'u16',
  'u32',
  's32',
  'u64',
  'ns',
  'tid',
  'pid',
  'ifindex',
  'netns',
  'queue',
  'bytes',
  'position',
  'errno',
  'portid',
]);

/** Numbers of 64 bits that a JavaScript number can't hold become text; addresses are text in hexadecimal. */
export function eventJson(
  event: EventView,
  { objects, threads }: { readonly objects: NamedObjects; readonly threads: ThreadNames },
  violations: readonly Violation[] = [],
): Record<string, unknown> {
  const { tid, ts } = event;
  const json: Record<string, unknown> = {
    ts,
    cpu: event.cpu,
    seq: event.seq,
    tid,
    pid: event.pid,
    comm: threads.at(tid, ts),
    path: event.layout?.path ?? null,
    kind: event.kind,
    flags: flagWords(event),
  };
  addFacts(json, event, objects);
  if (violations.length > 0)
    json['violations'] = violations.map(({ invariant, object, sentence }) => ({
      invariant,
      object,
      sentence,
    }));
  return json;
}

/** What the event says of itself: the place of its object, and its fields. */
export function addFacts(json: Record<string, unknown>, event: EventView, objects: NamedObjects): void {
  const about = event.field('object') ? objects.get(event.u32('object')) : undefined;
  if (about && about.ifindex !== 0)
    Object.assign(json, {
      netns: exactly(about.netns),
      ifindex: about.ifindex,
      queue: about.queue,
      device: about.name,
    });
  const device = event.field('ifindex') && objects.deviceName(event.u64('netns'), event.u32('ifindex'));
  if (device) json['device'] = device;
  for (const { name, type, size } of event.layout?.fields ?? []) {
    if (type === 'object')
      json[name] = event.u32(name) === NO_OBJECT ? null : handleOf(objects, event.u32(name));
    else if (!NUMBERS.has(type)) json[name] = fieldText(event, name, objects);
    else json[name] = size === 8 ? exact(event, name) : event.u32(name);
  }
  if (event.kindNumber === GAP_KIND) json['reason'] = gapReason(event);
}

function exact(event: EventView, name: string): number | string {
  const value = event.u53(name);
  return value <= Number.MAX_SAFE_INTEGER ? value : event.u64(name).toString();
}

function exactly(value: bigint): number | string {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value.toString();
}
