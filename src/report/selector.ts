// The object of interest: `frame:0x16ce900@umem:3`, `fdb:02:42:0a:00:00:02`, or the words violations use.

import type { EventView } from '../decode/event-view.ts';
import type { ObjectTable } from '../model/objects.ts';
import type { ObjectForm, Selector } from './selectors/form.ts';
import { POLICY_FORM, SA_FORM } from './selectors/ipsec.ts';
import { ADDRESS_FORM, DEVICE_FORM, FDB_FORM, NEIGHBOUR_FORM, VNI_FORM } from './selectors/network.ts';
import { COOKIE_FORM, ITERATOR_FORM, NETNS_FORM, THREAD_FORM } from './selectors/tasks.ts';
import { FRAME_FORM, INDEXED_FORMS } from './selectors/xsk.ts';

export type { Selector } from './selectors/form.ts';

const FORMS: readonly ObjectForm[] = [
  FRAME_FORM,
  ...INDEXED_FORMS,
  NEIGHBOUR_FORM,
  FDB_FORM,
  VNI_FORM,
  SA_FORM,
  POLICY_FORM,
  DEVICE_FORM,
  ADDRESS_FORM,
  NETNS_FORM,
  THREAD_FORM,
  ITERATOR_FORM,
  COOKIE_FORM,
];

/** Every form that `--object` takes, for a person. */
export const OBJECT_FORMS: readonly string[] = FORMS.map(({ form }) => form);

/** Undefined for text that names no object. */
export function parseSelector(text: string): Selector | undefined {
  const trimmed = text.trim();
  for (const form of FORMS) {
    const selector = form.parse(trimmed);
    if (selector) return selector;
  }
  return undefined;
}

/** The form to be typed after `--object`. */
export function selectorText(selector: Selector): string {
  return selector.text;
}

/** A test for the events that concern the object. Throws a UsageError if the recording has no such object. */
export function createMatcher(selector: Selector, objects: ObjectTable): (event: EventView) => boolean {
  return selector.matcher(objects);
}
