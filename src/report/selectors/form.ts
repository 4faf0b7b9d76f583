// What the forms of `--object` have in common: how they are read, and in which namespace and device an event is.

import type { EventView } from '../../decode/event-view.ts';
import type { FieldType } from '../../model/layout.ts';
import type { ObjectTable } from '../../model/objects.ts';
import { netnsOf } from '../objects.ts';

export type Concerns = (event: EventView) => boolean;

export interface Selector {
  /** Its first word. */
  readonly type: string;
  /** The form to be typed after `--object`. */
  readonly text: string;
  /** A test for the events that concern it. Throws a UsageError if the recording has no such object. */
  matcher(objects: ObjectTable): Concerns;
}

/** One kind of object. */
export interface ObjectForm {
  /** As help says it. */
  readonly form: string;
  /** Undefined for text that names no such object; violations have words of their own for it. */
  parse(text: string): Selector | undefined;
}

export const IP = '([0-9a-f.:]*[.:][0-9a-f.:]+)';
export const NUMBER = '(0x[0-9a-f]+|[0-9]+)';
/** A device as `@IFINDEX[:NETNS]`. */
export const AT_DEVICE = '(?:@([0-9]+)(?::([0-9]+))?)?';
export const AT_NETNS = '(?:@netns[: ]([0-9]+))?';
/** A namespace in the words of sentences. */
export const IN_NETNS = '(?: \\(netns ([0-9]+)\\))?';

export function words(pattern: string): RegExp {
  return new RegExp(`^${pattern}$`, 'i');
}

/** Null for what the text doesn't say. */
export function numberOf(text: string | undefined): number | null {
  return text === undefined ? null : Number(text);
}

export function bigOf(text: string | undefined): bigint | null {
  return text === undefined ? null : BigInt(text);
}

export interface Device {
  /** Null: any. */
  readonly ifindex: number | null;
  readonly netns: bigint | null;
}

export function atDevice({ ifindex, netns }: Device): string {
  if (ifindex === null) return atNetns(netns);
  return `@${ifindex}${netns === null ? '' : `:${netns}`}`;
}

export function atNetns(netns: bigint | null): string {
  return netns === null ? '' : `@netns:${netns}`;
}

/** The device that the event happens on, which has the plain field names. */
export function isOn(event: EventView, { ifindex, netns }: Device): boolean {
  return (
    (ifindex === null || (event.field('ifindex') !== undefined && event.u32('ifindex') === ifindex)) &&
    (netns === null || event.u64('netns') === netns)
  );
}

/** Any field of the type. */
export function someField(event: EventView, type: FieldType, test: (name: string) => boolean): boolean {
  for (const field of event.layout?.fields ?? []) if (field.type === type && test(field.name)) return true;
  return false;
}

export function namesNetns(event: EventView, netns: bigint): boolean {
  return someField(event, 'netns', (name) => event.u64(name) === netns);
}

export function namesAddress(event: EventView, ip: string): boolean {
  return someField(event, 'ip', (name) => event.text(name) === ip);
}

export function namesDevice(event: EventView, { ifindex, netns }: Device): boolean {
  return someField(
    event,
    'ifindex',
    (name) => event.u32(name) === ifindex && (netns === null || netnsOf(event, name) === netns),
  );
}
