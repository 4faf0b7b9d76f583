// What a row is given from the recording's tables: the thread's name at that time, the object's device and namespace.

import type { ObjectEntry } from '../model/objects.ts';
import type { ThreadName } from '../model/recording.ts';
import { timeAt } from '../model/slot.ts';
import type { Strings } from './strings.ts';

export interface ThreadJoin {
  /** Number of the name that the thread had at the time of the slot at lane `at`; -1 if it isn't known. */
  commAt(tid: number, lanes: Uint32Array, at: number): number;
}

interface Names {
  readonly from: number[];
  readonly comm: number[];
  /** The name used last; events come nearly in order of time. */
  current: number;
}

export function createThreadJoin(threads: readonly ThreadName[], strings: Strings): ThreadJoin {
  const byTid = new Map<number, Names>();
  for (const { tid, ts, comm } of [...threads].sort((a, b) => a.ts - b.ts)) {
    const names = byTid.get(tid) ?? { from: [], comm: [], current: 0 };
    names.from.push(ts);
    names.comm.push(strings.intern(comm));
    byTid.set(tid, names);
  }
  let lastTid = -1;
  let last: Names | undefined;
  return {
    commAt(tid, lanes, at) {
      if (tid !== lastTid) {
        last = byTid.get(tid);
        lastTid = tid;
      }
      if (last === undefined) return -1;
      const { from, comm } = last;
      const ts = timeAt(lanes, at);
      let current = last.current;
      while (current + 1 < from.length && (from[current + 1] as number) <= ts) current++;
      while (current >= 0 && (from[current] as number) > ts) current--;
      last.current = Math.max(current, 0);
      return current < 0 ? -1 : (comm[current] as number);
    },
  };
}

/** The object table as columns; `ifindex` 0 is an object without a device, `device` -1 one without a name. */
export interface ObjectJoin {
  has(index: number): boolean;
  readonly netnsLow: Uint32Array;
  readonly netnsHigh: Uint32Array;
  readonly ifindex: Uint32Array;
  readonly queue: Uint32Array;
  readonly device: Int32Array;
  /** Number of the name of a device that some object is bound to, or that an event has named; -1 if none has. */
  deviceOf(netnsLow: number, netnsHigh: number, ifindex: number): number;
  nameDevice(netnsLow: number, netnsHigh: number, ifindex: number, name: number): void;
}

export function createObjectJoin(objects: readonly ObjectEntry[], strings: Strings): ObjectJoin {
  const length = objects.reduce((most, { index }) => Math.max(most, index + 1), 0);
  const known = new Uint8Array(length);
  const byIndex = new Map(objects.map((object) => [object.index, object]));
  const devices = new Map<number, { low: number; high: number; device: number }[]>();
  const nameless = strings.intern('');
  const join: ObjectJoin = {
    has: (index) => index < length && known[index] === 1,
    netnsLow: new Uint32Array(length),
    netnsHigh: new Uint32Array(length),
    ifindex: new Uint32Array(length),
    queue: new Uint32Array(length),
    device: new Int32Array(length).fill(-1),
    deviceOf(low, high, ifindex) {
      const found = devices.get(ifindex)?.find((entry) => entry.low === low && entry.high === high);
      return found?.device ?? -1;
    },
    nameDevice(low, high, ifindex, name) {
      if (name === nameless) return;
      const sameIndex = devices.get(ifindex) ?? [];
      const known = sameIndex.find((entry) => entry.low === low && entry.high === high);
      if (known) known.device = name;
      else devices.set(ifindex, [...sameIndex, { low, high, device: name }]);
    },
  };
  for (const object of objects) {
    const { index, type } = object;
    // A socket's own entry was written before it was bound; its queue's knows where.
    const { netns, ifindex, queue, name } =
      object.ifindex === 0 ? (byIndex.get(object.parent) ?? object) : object;
    const low = Number(netns & 0xffff_ffffn);
    const high = Number(netns >> 32n);
    known[index] = 1;
    join.netnsLow[index] = low;
    join.netnsHigh[index] = high;
    if (type === 'umem') continue;
    join.ifindex[index] = ifindex;
    join.queue[index] = queue;
    if (name === '') continue;
    const device = strings.intern(name);
    join.device[index] = device;
    if (join.deviceOf(low, high, ifindex) < 0) {
      devices.set(ifindex, [...(devices.get(ifindex) ?? []), { low, high, device }]);
    }
  }
  return join;
}
