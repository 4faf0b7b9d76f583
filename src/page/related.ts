// The object that an event is about, in the form that `--object` takes.

import type { EventView } from '../decode/event-view.ts';
import { NO_OBJECT } from '../model/objects.ts';

/** Undefined for an event that is about no object of its own; a frame's umem is not in its event. */
export function selectorOfEvent(event: EventView): string | undefined {
  const { layout } = event;
  if (!layout || event.field('addr')) return undefined;
  const on = event.u32('ifindex') > 0 ? `@${event.u32('ifindex')}:${event.u64('netns')}` : '';
  switch (layout.path) {
    case 'xsk':
      // What a socket or a queue is, an event of it says only where it is made, bound or closed.
      return /^xsk_(bind|release|socket_create)$/.test(event.kind) && event.u32('object') !== NO_OBJECT
        ? `socket:${event.u32('object')}`
        : undefined;
    case 'neigh':
      return event.field('ip') ? `neighbour:${event.text('ip')}${on}` : undefined;
    case 'vxlan':
      return event.field('mac') ? `fdb:${event.text('mac')}${on}` : undefined;
    case 'xfrm':
      if (event.field('index') && event.kind.startsWith('xfrm_policy'))
        return `policy:${event.u32('index')}@netns:${event.u64('netns')}`;
      return event.field('spi') && event.kind.startsWith('xfrm_state')
        ? `sa:0x${event.u32('spi').toString(16)}@${event.text('daddr')}@netns:${event.u64('netns')}`
        : undefined;
    case 'link':
      return on === '' ? undefined : `device:${on.slice(1)}`;
    case 'netns':
      return event.tid === 0 ? undefined : `thread:${event.tid}`;
    default:
      return undefined;
  }
}
