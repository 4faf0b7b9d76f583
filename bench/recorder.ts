// A recorder of the benchmarks' own BPF objects, through the shim that the product uses.

import { join } from 'node:path';
import { CONTROL, SHARES } from '../src/generated/layouts.ts';
import { possibleCpus } from '../src/source/running-kernel.ts';
import * as shim from '../src/source/shim.ts';
import { BUILD } from './driver.ts';

export interface BenchRecorder {
  readonly handle: number;
  readonly cpus: number;
  readonly slots: number;
  readonly control: Uint32Array;
  /** Which bank is written; 2 for none. */
  setBank(bank: number): void;
  close(): void;
}

export const CONTROL_WORD = {
  bank: CONTROL.bank / 4,
  spareFree: CONTROL.spare_free / 4,
  tripwires: CONTROL.tripwires / 4,
  tripped: CONTROL.tripped / 4,
} as const;

/** The share that everything here writes to. */
export const XSK = SHARES.indexOf('xsk');

function number32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}

/** Opens and loads build/bench/NAME.bpf.o; `knobs` are 32-bit filter words. */
export function openBench(
  name: string,
  slots: number,
  knobs: Readonly<Record<string, number>> = {},
): BenchRecorder {
  shim.openShim();
  const cpus = possibleCpus();
  const opened = shim.openObject(join(BUILD, `${name}.bpf.o`));
  if (opened.code < 0) throw new Error(`${name}.bpf.o: ${opened.code} ${opened.text}`);
  const handle = opened.code;
  for (const line of opened.text.trim().split('\n'))
    shim.setAutoload(handle, line.split(' ')[0] as string, true);
  shim.setKnob(handle, 'fr_cpus', number32(cpus));
  for (const [knob, value] of Object.entries(knobs)) shim.setKnob(handle, knob, number32(value));
  const loaded = shim.loadObject(
    handle,
    cpus,
    SHARES.map((path) => ({ path, slots: path === 'xsk' ? slots : 0 })),
  );
  if (loaded.code < 0) throw new Error(`${name}.bpf.o: ${loaded.code} ${loaded.text}`);
  const memory = shim.memoryOf(handle, shim.MEMORY.control, 4096);
  const control = new Uint32Array(memory.buffer, memory.byteOffset, 1024);
  return {
    handle,
    cpus,
    slots,
    control,
    setBank(bank) {
      control[CONTROL_WORD.bank] = bank;
    },
    close() {
      shim.closeRecorder(handle);
    },
  };
}
