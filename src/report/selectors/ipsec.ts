// IPsec's states and policies.

import type { EventView } from '../../decode/event-view.ts';
import {
  AT_NETNS,
  atNetns,
  bigOf,
  IN_NETNS,
  IP,
  namesAddress,
  namesNetns,
  NUMBER,
  type ObjectForm,
  someField,
  words,
} from './form.ts';

const SA = words(`SA[: ]${NUMBER}(?:@${IP})?${AT_NETNS}`);
const SA_WORDS = words(`SA ${NUMBER}(?: \\(\\w+[ \\w]*\\))?(?: from ${IP})? to ${IP}${IN_NETNS}`);

/** Its SPI belongs to the destination; policies name states by their templates. */
export const SA_FORM: ObjectForm = {
  form: 'sa:SPI[@DESTINATION][@netns:N]',
  parse(text) {
    const typed = SA.exec(text);
    const said = typed ? null : SA_WORDS.exec(text);
    if (!typed && !said) return undefined;
    const spi = Number(typed?.[1] ?? said?.[1]);
    const daddr = (typed?.[2] ?? said?.[3])?.toLowerCase();
    const netns = bigOf(typed?.[3] ?? said?.[4]);
    return {
      type: 'sa',
      text: `sa:0x${spi.toString(16)}${daddr === undefined ? '' : `@${daddr}`}${atNetns(netns)}`,
      matcher: () => (event) =>
        someField(event, 'spi', (name) => event.u32(name) === spi) &&
        (daddr === undefined || namesAddress(event, daddr)) &&
        (netns === null || namesNetns(event, netns)),
    };
  },
};

const SELECTOR = `${IP}/([0-9]+)(?:-| to )${IP}/([0-9]+)`;
const POLICY = words(`policy[: ](?:([0-9]+)|${SELECTOR})${AT_NETNS}`);
const POLICY_WORDS = words(`\\w+ policy ()${SELECTOR}(?: mark 0x[0-9a-f]+)?${IN_NETNS}`);

/** By its index, as `ip xfrm policy` prints it, or by its selector, for each direction. */
export const POLICY_FORM: ObjectForm = {
  form: 'policy:INDEX[@netns:N] (or SOURCE/PREFIX-DESTINATION/PREFIX for INDEX)',
  parse(text) {
    const found = POLICY.exec(text) ?? POLICY_WORDS.exec(text);
    if (!found) return undefined;
    const [, index, source, sourcePrefix, destination, destinationPrefix] = found;
    const netns = bigOf(found[6]);
    const isIt =
      source !== undefined
        ? (event: EventView) =>
            event.text('saddr') === source.toLowerCase() &&
            event.text('daddr') === destination?.toLowerCase() &&
            event.u32('saddr_prefix') === Number(sourcePrefix) &&
            event.u32('daddr_prefix') === Number(destinationPrefix)
        : (event: EventView) => event.u32('index') === Number(index);
    const name = index || `${source}/${sourcePrefix}-${destination}/${destinationPrefix}`.toLowerCase();
    return {
      type: 'policy',
      text: `policy:${name}${atNetns(netns)}`,
      matcher: () => (event) =>
        event.field('index') !== undefined && isIt(event) && (netns === null || namesNetns(event, netns)),
    };
  },
};
