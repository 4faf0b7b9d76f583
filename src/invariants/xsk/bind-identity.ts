// A bind must not fail because two devices in different namespaces have the same number; says which check refused it.

import type { InvariantContext, Stepper } from '../../check/invariant.ts';
import { defineInvariant } from '../../check/invariant.ts';
import { RecentMap } from '../../check/recent-map.ts';
import type { EventView } from '../../decode/event-view.ts';
import { KIND } from '../../generated/layouts.ts';
import { NO_OBJECT } from '../../model/objects.ts';
import type { EventRef } from '../../model/violation.ts';

/** Flags of struct sockaddr_xdp (include/uapi/linux/if_xdp.h). */
const SHARED_UMEM = 1;
const EXCLUDED_BY_SHARING = 2 | 4 | 8 | 16;
/** XSK_HAS_* of bpf/probes/xsk-records.bpf.h. */
const HAS = { rx: 1, tx: 2, fill: 4, comp: 8, umem: 16 } as const;
const EINVAL = -22;
const BINDS_MAX = 4096;

interface Bind {
  readonly socket: number;
  readonly umem: number;
  readonly ifindex: number;
  readonly queue: number;
  readonly netns: bigint;
  readonly ref: EventRef | null;
}

class BindIdentity implements Stepper {
  readonly #context: InvariantContext;
  /** By socket; least recently bound first. */
  readonly #binds: RecentMap<Bind, number>;

  constructor(context: InvariantContext) {
    this.#context = context;
    this.#binds = new RecentMap(context, BINDS_MAX);
  }

  step(event: EventView): void {
    const socket = event.u32('object');
    if (event.kindNumber === KIND.xsk_release) {
      this.#binds.delete(socket);
      return;
    }
    const bind: Bind = {
      socket,
      umem: event.u32('umem'),
      ifindex: event.u32('ifindex'),
      queue: event.u32('queue'),
      netns: event.u64('netns'),
      ref: event.ref(),
    };
    const result = event.u32('result');
    if (result === 0) {
      this.#warn(event, bind);
      this.#binds.set(socket, bind);
      return;
    }
    if (bind.umem === NO_OBJECT) return this.#context.unplaced();
    if (result === EINVAL && lacksRings(event)) this.#explain(event, bind);
  }

  gap(): void {
    this.#binds.forget();
  }

  /** Two devices of one number under one umem: the kernel can tell them apart, a library that knows no namespaces can't. */
  #warn(event: EventView, bind: Bind): void {
    const earlier = bind.umem === NO_OBJECT ? null : this.#findBound(event, bind);
    if (!earlier) return;
    const device = `ifindex ${bind.ifindex} q${bind.queue}`;
    this.#context.violate({
      object: `socket ${bind.socket}`,
      sentence: `umem ${bind.umem} is bound to ${device} in netns ${bind.netns} and to ${device} in netns ${earlier.netns}: two devices that only the namespace's cookie tells apart`,
      evidence: earlier.ref ? [earlier.ref] : [],
      severity: 'warning',
    });
  }

  #explain(event: EventView, bind: Bind): void {
    const earlier = this.#findBound(event, bind) ?? this.#findQueue(event, bind);
    if (!earlier) return;
    const device = `ifindex ${bind.ifindex} q${bind.queue}`;
    this.#context.violate({
      object: `socket ${bind.socket}`,
      sentence: `bind of ${device} in netns ${bind.netns} failed with EINVAL: umem ${bind.umem} is shared, ${missing(event.u32('has'))} set up for this device; an earlier bind used ${device} in netns ${earlier.netns}, which is another device of the same number`,
      evidence: earlier.ref ? [earlier.ref] : [],
    });
  }

  /** The earlier user of this (ifindex, queue) with the same umem in another namespace: by its bind, or shared with. */
  #findBound(event: EventView, bind: Bind): Pick<Bind, 'netns' | 'ref'> | null {
    for (const other of this.#binds.values()) if (isTwin(bind, other)) return other;
    const shared = {
      umem: bind.umem,
      ifindex: event.u32('shared_ifindex'),
      queue: event.u32('shared_queue'),
      netns: event.u64('shared_netns'),
    };
    return isTwin(bind, shared) ? { netns: shared.netns, ref: null } : null;
  }

  /** Sockets that were bound before the recorder started are known by their queues alone. */
  #findQueue(event: EventView, bind: Bind): Pick<Bind, 'netns' | 'ref'> | null {
    const { objects } = this.#context;
    for (let i = 0; i < objects.length; i++) {
      const entry = objects.get(i);
      // In a recording the table holds what came later, too.
      if (entry?.type === 'queue' && entry.ts < event.ts && isTwin(bind, entry))
        return { netns: entry.netns, ref: null };
    }
    return null;
  }
}

/** Another device of the same number, with the same umem. */
function isTwin(bind: Bind, other: Pick<Bind, 'umem' | 'ifindex' | 'queue' | 'netns'>): boolean {
  return (
    other.umem === bind.umem &&
    other.ifindex === bind.ifindex &&
    other.queue === bind.queue &&
    other.netns !== bind.netns &&
    other.netns !== 0n
  );
}

/**
 * The check of net/xdp/xsk.c: xsk_bind that refused with EINVAL, in its order, is the one of xp_assign_dev_shared: a shared
 * umem on another device or queue needs a FILL and a COMPLETION ring of its own there. The checks before it are passed.
 */
function lacksRings(event: EventView): boolean {
  const flags = event.u32('bind_flags');
  const has = event.u32('has');
  if ((has & (HAS.rx | HAS.tx)) === 0) return false;
  if ((flags & SHARED_UMEM) === 0 || (flags & EXCLUDED_BY_SHARING) !== 0 || (has & HAS.umem) !== 0)
    return false;
  const sameDevice =
    event.u32('shared_ifindex') === event.u32('ifindex') && event.u64('shared_netns') === event.u64('netns');
  if (sameDevice && event.u32('shared_queue') === event.u32('queue')) return false;
  return (has & HAS.fill) === 0 || (has & HAS.comp) === 0;
}

function missing(has: number): string {
  if (has & HAS.fill) return 'no COMPLETION ring was';
  return has & HAS.comp ? 'no FILL ring was' : 'no FILL and no COMPLETION ring was';
}

export default defineInvariant({
  name: 'xsk.bind-identity',
  claim:
    'devices of different namespaces that have the same ifindex are not taken for one when a umem is shared',
  object: 'umem',
  source:
    'net/xdp/xsk.c: xsk_bind; net/xdp/xsk_buff_pool.c: xp_assign_dev_shared; libxdp: contexts keyed by netns cookie',
  needs: ['xsk_bind', 'xsk_release'],
  picture: [
    { from: 'unbound', event: 'xsk_bind', to: 'bound' },
    { from: 'bound', event: 'xsk_release', to: 'unbound' },
  ],
  start: (context) => new BindIdentity(context),
});
