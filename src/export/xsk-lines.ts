// Life-lines of AF_XDP: frames from ring to ring, queues while they are polled, sockets while they are open.

import type { EventView } from '../decode/event-view.ts';
import { KIND } from '../generated/layouts.ts';
import { describeObject, type NamedObjects } from '../report/objects.ts';
import { chunkOf } from '../report/selectors/xsk.ts';
import type { Line } from './line.ts';

interface Pen {
  line(key: string | number, type: string, label: () => string): Line | undefined;
  move(line: Line, state: string | null): void;
}

/** The frame is in this place from the event on. */
const PLACES: ReadonlyMap<number, string> = new Map([
  [KIND.xsk_fill_submit, 'FILL'],
  [KIND.xsk_fill_take, 'kernel'],
  [KIND.xsk_rx_write, 'RX'],
  [KIND.xsk_rx_publish, 'RX'],
  [KIND.xsk_tx_submit, 'TX'],
  [KIND.xsk_tx_take, 'sending'],
  [KIND.xsk_comp_submit, 'COMP'],
]);

/** In these rings a frame waits at a position until the application has moved its cursor past it. */
const AWAITED = new Set<number>([KIND.xsk_rx_write, KIND.xsk_rx_publish, KIND.xsk_comp_submit]);
const CONSUMED = new Set<number>([KIND.xsk_rx_consume, KIND.xsk_comp_consume]);

/** The object itself is in this state from the event on; null: it ended. */
const STATES: ReadonlyMap<number, readonly [type: string, state: string | null]> = new Map([
  [KIND.xsk_napi_schedule, ['queue', 'scheduled']],
  [KIND.xsk_napi_begin, ['queue', 'polling']],
  [KIND.xsk_napi_end, ['queue', null]],
  [KIND.xsk_umem_register, ['umem', 'registered']],
  [KIND.xsk_socket_create, ['socket', 'created']],
  [KIND.xsk_bind, ['socket', 'bound']],
  [KIND.xsk_release, ['socket', null]],
]);

/** The largest ring that can be made has 2^31 entries; the largest anybody makes, far fewer. */
const RING_MAX = 65_536;
/** Two frames of one umem never share a number below this. */
const CHUNKS_MAX = 2 ** 32;

export class XskLines {
  readonly #objects: NamedObjects;
  readonly #pen: Pen;
  /** Frames waiting in a ring, by object and position. */
  readonly #waiting = new Map<number, Map<number, Line>>();

  constructor(objects: NamedObjects, pen: Pen) {
    this.#objects = objects;
    this.#pen = pen;
  }

  see(event: EventView): void {
    const kind = event.kindNumber;
    const place = PLACES.get(kind);
    if (place !== undefined) this.#place(event, kind, place);
    else if (CONSUMED.has(kind)) this.#consume(event);
    else this.#state(event, kind);
  }

  forget(): void {
    this.#waiting.clear();
  }

  #place(event: EventView, kind: number, place: string): void {
    const object = event.u32('object');
    const frame = this.#frame(object, event.u64('addr'));
    if (!frame) return;
    // A publication is seen only after the fact: the frame may have gone on.
    if (kind !== KIND.xsk_rx_publish || frame.state === 'kernel' || frame.state === null)
      this.#pen.move(frame, place);
    if (!AWAITED.has(kind) || frame.state !== place) return;
    let waiting = this.#waiting.get(object);
    if (!waiting || waiting.size >= RING_MAX) this.#waiting.set(object, (waiting = new Map()));
    waiting.set(event.u32('position'), frame);
  }

  #frame(object: number, addr: bigint): Line | undefined {
    const umem = this.#objects.get(object)?.umem;
    const entry = umem === undefined ? undefined : this.#objects.get(umem);
    if (umem === undefined || entry?.type !== 'umem' || !(entry.chunkSize >= 1)) return undefined;
    const chunk = Number(chunkOf(addr, entry.chunkSize));
    if (chunk >= CHUNKS_MAX) return undefined;
    const label = () => `frame:0x${(BigInt(chunk) * BigInt(entry.chunkSize)).toString(16)}@umem:${umem}`;
    return this.#pen.line(umem * CHUNKS_MAX + chunk, 'frame', label);
  }

  /** The application's cursor stands at the position: what lies in front of it is the application's. */
  #consume(event: EventView): void {
    const waiting = this.#waiting.get(event.u32('object'));
    if (!waiting) return;
    const [end, count] = [event.u32('position'), event.u32('count')];
    if (count > RING_MAX) {
      waiting.clear();
      return;
    }
    for (let i = count; i > 0; i--) {
      const position = (end - i) >>> 0;
      const frame = waiting.get(position);
      if (!frame) continue;
      waiting.delete(position);
      if (frame.state === 'RX' || frame.state === 'COMP') this.#pen.move(frame, 'app');
    }
  }

  #state(event: EventView, kind: number): void {
    const found = STATES.get(kind);
    if (!found || event.u32('result') < 0) return;
    const [type, state] = found;
    const object = event.u32('object');
    const line = this.#pen.line(`${type}:${object}`, type, () => describeObject(this.#objects, object));
    if (line) this.#pen.move(line, state);
  }
}
