// An event's fields as text: numbers with a meaning by their words, objects by their names, times by their distance.

import type { EventView } from '../decode/event-view.ts';
import { PROBE_PATHS } from '../generated/probes.ts';
import { LAYOUTS } from '../generated/layouts.ts';
import type { FieldLayout } from '../model/layout.ts';
import { NO_OBJECT } from '../model/objects.ts';
import { FLAG } from '../model/slot.ts';
import { errnoName } from '../probes/_errno.ts';
import { describeObject, type NamedObjects, netnsOf } from './objects.ts';
import { formatOffset } from './span.ts';
import { printable } from './printable.ts';

type Words = Readonly<Record<number, string>>;

interface FieldPlan {
  readonly field: FieldLayout;
  readonly words: Words | undefined;
  /** The event has this field only if that other one isn't 0 (`has_new_mac` for `new_mac`). */
  readonly onlyIf: string | undefined;
  /** The event has this field only if that file descriptor isn't negative (`shared_fd` for `shared_queue`). */
  readonly onlyWithFd: string | undefined;
}

interface KindPlan {
  readonly fields: readonly FieldPlan[];
  readonly byName: ReadonlyMap<string, FieldPlan>;
  readonly flags: Words;
}

const GENERAL_FLAGS: readonly (readonly [number, string])[] = [
  [FLAG.urgent, 'urgent'],
  [FLAG.clamped, 'time-clamped'],
  [FLAG.snapshot, 'snapshot'],
  [FLAG.cut, 'cut'],
];

/** What an event is about is said first. */
const FIRST = ['object', 'ip'];

const PLANS: readonly KindPlan[] = LAYOUTS.map((layout): KindPlan => {
  const path = PROBE_PATHS.find((candidate) => candidate.path === layout.path);
  const names = new Set(layout.fields.map(({ name }) => name));
  const fields = layout.fields
    .filter(({ name }) => !(name.startsWith('has_') && names.has(name.slice(4))))
    .sort((a, b) => order(a.name) - order(b.name));
  const plans = fields.map((field): FieldPlan => {
    const fd = `${field.name.split('_')[0]}_fd`;
    return {
      field,
      words: path?.words[`${layout.kind}.${field.name}`] ?? path?.words[field.name],
      onlyIf: names.has(`has_${field.name}`) ? `has_${field.name}` : undefined,
      onlyWithFd: names.has(fd) ? fd : undefined,
    };
  });
  return {
    flags: path?.flags[layout.kind] ?? {},
    fields: plans,
    byName: new Map(plans.map((plan) => [plan.field.name, plan])),
  };
});

function order(name: string): number {
  const at = FIRST.indexOf(name);
  return at < 0 ? FIRST.length : at;
}

/** `name=value` of each field; an object without its field name, a time as `since -12.3µs`. */
export function fieldTexts(event: EventView, objects: NamedObjects): string[] {
  const texts = fieldPairs(event, objects).map(({ name, type, text }) => {
    if (name === 'object') return text;
    return `${name}${type === 'ns' ? ' ' : '='}${text}`;
  });
  const flags = flagWords(event);
  if (flags.length > 0) texts.push(`flags=${flags.join(',')}`);
  return texts;
}

export interface FieldPair {
  readonly name: string;
  readonly type: string;
  /** A time is told by its distance from the event. */
  readonly text: string;
}

/** The fields that the event has, with their values in words. */
export function fieldPairs(event: EventView, objects: NamedObjects): FieldPair[] {
  const pairs: FieldPair[] = [];
  for (const { field, words, onlyIf, onlyWithFd } of PLANS[event.kindNumber]?.fields ?? []) {
    if (onlyIf !== undefined && event.u32(onlyIf) === 0) continue;
    if (onlyWithFd !== undefined && event.u32(onlyWithFd) < 0) continue;
    const { name, type } = field;
    let text: string;
    if (name === 'object') text = describeObject(objects, event.u32(name));
    else if (type === 'ns') text = formatOffset(event.u53(name) - event.ts);
    else text = valueText(event, field, words, objects);
    pairs.push({ name, type, text });
  }
  return pairs;
}

/** The words of the event's flags, general ones first. */
export function flagWords(event: EventView): string[] {
  const words = event.repeated ? ['repeated'] : [];
  const { flags } = event;
  if ((flags & ~FLAG.slots) === 0) return words;
  for (const [bit, word] of GENERAL_FLAGS) if (flags & bit) words.push(word);
  words.push(...bitWords(flags & ~(FLAG.own - 1) & ~FLAG.cut & 0xffff, PLANS[event.kindNumber]?.flags ?? {}));
  return words;
}

/** One field's value in words. */
export function fieldText(event: EventView, name: string, objects: NamedObjects): string {
  const plan = PLANS[event.kindNumber]?.byName.get(name);
  return plan ? valueText(event, plan.field, plan.words, objects) : '';
}

function valueText(
  event: EventView,
  field: FieldLayout,
  words: Words | undefined,
  objects: NamedObjects,
): string {
  const { name, type } = field;
  switch (type) {
    case 'object':
      return event.u32(name) === NO_OBJECT ? 'none' : describeObject(objects, event.u32(name));
    case 'bits':
      return words ? bitWords(event.u32(name), words).join(',') || '0' : event.text(name);
    case 'errno': {
      const number = event.u32(name);
      const errno = number < 0 ? errnoName(number) : undefined;
      return errno ? `${errno} (${number})` : String(number);
    }
    case 'ifindex': {
      const device = objects.deviceName(netnsOf(event, name), event.u32(name));
      return device ? `${event.u32(name)} (${printable(device)})` : event.text(name);
    }
    default:
      return (field.size <= 4 ? words?.[event.u32(name)] : undefined) ?? printable(event.text(name));
  }
}

/** The names of the bits that are set; what has no name stays a number. */
function bitWords(bits: number, names: Words): string[] {
  const words: string[] = [];
  let rest = bits;
  for (const [bit, word] of Object.entries(names)) {
    if ((rest & Number(bit)) === 0) continue;
    words.push(word);
    rest &= ~Number(bit);
  }
  if (rest !== 0) words.push(`0x${(rest >>> 0).toString(16)}`);
  return words;
}
