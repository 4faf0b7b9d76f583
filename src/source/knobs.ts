// The settings of the BPF object that are constant once it is loaded: above all, what is recorded at all.

import { KernelError } from '../model/errors.ts';
import { setKnob } from './shim.ts';

/** Conditions evaluated in the kernel; undefined lets everything pass. */
export interface KernelFilter {
  readonly netns?: bigint;
  readonly ifindex?: number;
  readonly tgid?: number;
  readonly comm?: string;
  /** Bytes to keep of each packet received by an AF_XDP socket; none if not given. */
  readonly snaplen?: number;
}

function knob64(value: bigint): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(value);
  return buffer;
}

function knob32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}

export function setKnobs(handle: number, filter: KernelFilter, cpus: number): void {
  const set = (name: string, value: Buffer) => {
    const code = setKnob(handle, name, value);
    if (code < 0)
      throw new KernelError('KNOB', `the BPF object has no setting ${name}: rebuild with "npm run build"`);
  };
  set('fr_cpus', knob32(cpus));
  if (filter.netns !== undefined) set('fr_only_netns', knob64(filter.netns));
  if (filter.ifindex !== undefined) set('fr_only_ifindex', knob32(filter.ifindex));
  if (filter.tgid !== undefined) set('fr_only_tgid', knob32(filter.tgid));
  if (filter.snaplen !== undefined) set('fr_snaplen', knob32(filter.snaplen));
  if (filter.comm !== undefined) {
    const comm = Buffer.alloc(16);
    comm.write(filter.comm.slice(0, 15));
    set('fr_only_comm', comm);
    set('fr_only_comm_set', Buffer.from([1]));
  }
}
