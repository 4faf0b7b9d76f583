// How states, policies and those who ask for them are named in sentences.

import type { EventView } from '../../decode/event-view.ts';

const CAUSE_EXPIRED = 4;
const CAUSE_KERNEL = 0;

/** `thread 101 of process 100 (netlink port 4001)`. */
export function requester(event: EventView): string {
  const port = event.u32('portid');
  return `thread ${event.tid} of process ${event.pid}${port ? ` (netlink port ${port})` : ''}`;
}

/** Who ended a state or policy, by its event. */
export function ender(event: EventView): string {
  const cause = event.u32('cause');
  if (cause === CAUSE_EXPIRED) return 'its expiry';
  if (cause === CAUSE_KERNEL) return 'the kernel';
  return requester(event);
}

/** `SA 0x1001 (esp) from 10.0.0.1 to 10.0.0.2`. */
export function describeState(spi: string, proto: number, saddr: string, daddr: string): string {
  return `SA ${spi} (${protocol(proto)}) from ${saddr} to ${daddr}`;
}

function protocol(number: number): string {
  return (
    ({ 17: 'udp', 50: 'esp', 51: 'ah', 108: 'comp' } as Record<number, string>)[number] ?? `proto ${number}`
  );
}

/** `1.2 ms`, `6.0 s`. */
export function span(ns: number): string {
  return ns < 1e9 ? `${(ns / 1e6).toFixed(1)} ms` : `${(ns / 1e9).toFixed(1)} s`;
}
