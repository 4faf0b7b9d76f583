// Packets for Wireshark (pcapng): those whose bytes were recorded, each with its descriptor and the verdict on it.

import type { EventView } from '../decode/event-view.ts';
import { KIND } from '../generated/layouts.ts';
import { RecordingError } from '../model/errors.ts';
import type { Violation } from '../model/violation.ts';
import { createPlaces } from '../report/places.ts';
import { handleOf, placeOf } from '../report/objects.ts';
import { interfaceBlock, packetBlock, sectionBlock } from './pcapng-blocks.ts';
import type { ExportSource } from './source.ts';

/** bpf/types.bpf.h: FR_PACKET_BYTES. */
const PACKET_BYTES = 128;

/** The event that a packet's bytes belong to, and what is known of it. */
interface Descriptor {
  readonly object: number;
  readonly position: number;
  readonly broken: readonly Violation[];
  readonly behind: readonly Violation[];
}

export function* exportPcapng(source: ExportSource): Generator<Uint8Array, void, undefined> {
  const { meta } = source;
  const evidence = createPlaces(
    meta.violations.flatMap((violation) => violation.evidence.map((ref) => [ref, violation] as const)),
  );
  const ahead = BigInt(meta.clocks.realtimeNs) - BigInt(meta.clocks.monotonicNs);
  const devices = new Map<string, number>();
  // By CPU: a packet is kept right after its descriptor was written, by the same program.
  const written = new Map<number, Descriptor>();
  let packets = 0;
  for (const { event, violations } of source.events()) {
    if (event.kindNumber === KIND.xsk_rx_write) {
      written.set(event.cpu, {
        object: event.u32('object'),
        position: event.u32('position'),
        broken: violations,
        behind: evidence.at(event),
      });
      continue;
    }
    if (event.kindNumber !== KIND.xsk_packet) continue;
    if (packets++ === 0) yield section(source);
    const device = deviceOf(event, source);
    let number = devices.get(device.key);
    if (number === undefined) {
      devices.set(device.key, (number = devices.size));
      yield interfaceBlock(device.name, device.description, PACKET_BYTES);
    }
    const kept = Math.min(event.u32('kept'), PACKET_BYTES);
    const bytes = Buffer.alloc(kept);
    // Zeros at the end are not written down.
    Buffer.from(event.text('packet'), 'hex').copy(bytes, 0, 0, kept);
    yield packetBlock({
      device: number,
      time: BigInt(Math.round(event.ts)) + ahead,
      bytes,
      length: Math.max(event.u32('len'), kept),
      comments: commentsOf(event, written.get(event.cpu), source),
    });
  }
  if (packets === 0)
    throw new RecordingError(
      'NO_PACKETS',
      `${source.input.path} holds no packet bytes${packetsExpected(source)}: record them with "flightring record --snaplen 128".`,
    );
}

function packetsExpected({ filtered }: ExportSource): string {
  return filtered ? ' of what was asked for' : '';
}

function section({ meta }: ExportSource): Uint8Array {
  const { flightring, kernel, violations } = meta;
  return sectionBlock(
    `flightring ${flightring}`,
    `Linux ${kernel.release} ${kernel.machine}`,
    violations
      .slice(0, 16)
      .map(({ invariant, severity, sentence }) => `${severity} of ${invariant}: ${sentence}`),
  );
}

function deviceOf(
  event: EventView,
  { objects }: ExportSource,
): { key: string; name: string; description: string } {
  const object = event.u32('object');
  const entry = objects.get(object);
  if (!entry || entry.ifindex === 0)
    return { key: handleOf(objects, object), name: handleOf(objects, object), description: 'device unknown' };
  const { ifindex, netns } = entry;
  return {
    key: `${netns}:${ifindex}`,
    name: objects.deviceName(netns, ifindex) ?? `ifindex ${ifindex}`,
    description: `ifindex ${ifindex}, netns ${netns}`,
  };
}

/** The descriptor, and what the invariants have to say of the event that wrote it. */
function commentsOf(
  event: EventView,
  descriptor: Descriptor | undefined,
  { objects, meta }: ExportSource,
): string[] {
  const [object, position] = [event.u32('object'), event.u32('position')];
  const place = placeOf(objects, object);
  const where = `${handleOf(objects, object)}${place === '' ? '' : ` (${place})`}`;
  const umem = objects.get(object)?.umem;
  const comments = [
    `RX descriptor of ${where}: position ${position}, address ${event.text('addr')}${umem === undefined ? '' : ` of umem ${umem}`}, length ${event.u32('len')}; CPU ${event.cpu}, seq ${event.seq}`,
  ];
  if (descriptor?.object !== object || descriptor.position !== position) return comments;
  for (const { invariant, severity, sentence } of descriptor.broken)
    comments.push(`${severity} of ${invariant}: ${sentence}`);
  for (const violation of descriptor.behind)
    if (!descriptor.broken.includes(violation))
      comments.push(`evidence of ${violation.invariant}: ${violation.sentence}`);
  const checked = meta.invariants.some(({ name }) => name.startsWith('xsk.'));
  if (comments.length === 1 && checked) comments.push('no invariant was broken here');
  return comments;
}
