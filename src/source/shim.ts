// The one file that calls native code: each function of native/*.c with its types, and views of its memory.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  createExternalBuffer,
  DataType,
  type FFIParams,
  type FieldType,
  isNullPointer,
  load,
  open,
} from 'ffi-rs';
import { KernelError } from '../model/errors.ts';
import { packageRoot } from '../model/installation.ts';

const LIBRARY = 'flightring';
/** Most slots that one `wait` returns. */
export const BATCH_SLOTS = 65536;
const TEXT_BYTES = 16384;

/** Memory of a recorder that is shared with it. */
export const MEMORY = { rings: 0, control: 1, objects: 2, batch: 3, figures: 4 } as const;

/** The folder of the shim and the BPF object; FLIGHTRING_NATIVE names another one. */
export function nativeFolder(): string {
  const named = process.env.FLIGHTRING_NATIVE;
  if (named) return named;
  const arch = `linux-${process.arch}`;
  const folder = join(packageRoot(), 'dist', 'native', arch);
  if (existsSync(join(folder, 'libflightring.so'))) return folder;
  throw new KernelError(
    'NO_NATIVE',
    `no native part for ${arch} in this installation: build it with "npm run build", or use x86-64 Linux`,
  );
}

/** The shim's own file, in which `setMark` lies. */
export function libraryPath(): string {
  return join(nativeFolder(), 'libflightring.so');
}

let opened = false;

/** Opens the library; the main thread must do so before any worker uses it (a worker alone crashes when it ends). */
export function openShim(): void {
  if (opened) return;
  open({ library: LIBRARY, path: libraryPath() });
  opened = true;
}

function call<T extends FieldType>(
  funcName: string,
  retType: T,
  paramsType: FieldType[],
  paramsValue: unknown[],
) {
  return load({ library: LIBRARY, funcName, retType, paramsType, paramsValue });
}

const { I32, U32, I64, U64, U8Array, External } = DataType;
const Text = DataType.String;

/** The text a call left in its buffer. */
function textOf(buffer: Buffer): string {
  const end = buffer.indexOf(0);
  return buffer.toString('utf8', 0, end < 0 ? buffer.length : end);
}

export interface CallResult {
  /** 0 or more, or a negative errno. */
  readonly code: number;
  /** libbpf's and the verifier's words, if any. */
  readonly text: string;
}

/** Opens the BPF object; `text` lists its programs, `name section` a line. `code` is the recorder's handle. */
export function openObject(path: string): CallResult {
  const text = Buffer.alloc(65536);
  const code = call('fr_open', I32, [Text, U8Array, U32], [path, text, text.length]);
  return { code, text: textOf(text) };
}

/** What each ring gives to one path; `slots` is a power of two, or 0 if the path isn't recorded. */
export interface Share {
  readonly path: string;
  readonly slots: number;
}

function shareWords(shares: readonly Share[]): Buffer {
  const words = Buffer.alloc(shares.length * 16);
  for (const [i, { path, slots }] of shares.entries()) {
    words.writeBigUInt64LE(BigInt(slots), i * 16);
    words.write(path, i * 16 + 8, 8, 'latin1');
  }
  return words;
}

/** Rings in plain memory, for tests and benchmarks, divided into these shares; returns the handle. */
export function openMemory(cpus: number, shares: readonly Share[]): number {
  return call('fr_memory', I32, [U32, U8Array, U32], [cpus, shareWords(shares), shares.length]);
}

export function setAutoload(handle: number, program: string, wanted: boolean): number {
  return call('fr_autoload', I32, [I32, Text, I32], [handle, program, wanted ? 1 : 0]);
}

/** Sets a `const volatile` variable before loading. */
export function setKnob(handle: number, name: string, value: Buffer): number {
  return call('fr_knob', I32, [I32, Text, U8Array, U32], [handle, name, value, value.length]);
}

/** The shares by their numbers (SHARES of src/generated/layouts.ts). */
export function loadObject(handle: number, cpus: number, shares: readonly Share[]): CallResult {
  const text = Buffer.alloc(TEXT_BYTES);
  const code = call(
    'fr_load',
    I32,
    [I32, U32, U8Array, U32, U8Array, U32],
    [handle, cpus, shareWords(shares), shares.length, text, text.length],
  );
  return { code, text: textOf(text) };
}

export function attachProgram(handle: number, program: string): CallResult {
  const text = Buffer.alloc(TEXT_BYTES);
  const code = call('fr_attach', I32, [I32, Text, U8Array, U32], [handle, program, text, text.length]);
  return { code, text: textOf(text) };
}

/** Has a loaded program run whenever a process comes to byte `offset` of the file. */
export function attachUprobe(handle: number, program: string, path: string, offset: number): CallResult {
  const text = Buffer.alloc(TEXT_BYTES);
  const code = call(
    'fr_attach_uprobe',
    I32,
    [I32, Text, Text, U64, U8Array, U32],
    [handle, program, path, offset, text, text.length],
  );
  return { code, text: textOf(text) };
}

/** Sets a mark, which those see who record the shim's marks. */
export function setMark(text: string, value: number): void {
  call('fr_mark', I32, [Text, U64], [text, value]);
}

/** Has `wait` run a loaded program every `periodUs`. */
export function setTimer(handle: number, program: string, periodUs: number): number {
  return call('fr_timer', I32, [I32, Text, U32], [handle, program, periodUs]);
}

/** One more than the number of its arguments if the running kernel's BTF, or the module's, has the function; 0 if not, negative without BTF. */
export function btfFunction(name: string, module = ''): number {
  return call('fr_btf_function', I32, [Text, Text], [name, module]);
}

/** A view of shared memory, without copying. It must not be used after `closeRecorder`. */
export function memoryOf(handle: number, which: number, bytes: number): Buffer {
  const pointer = call('fr_pointer', External, [I32, I32], [handle, which]);
  if (isNullPointer(pointer))
    throw new KernelError('NO_MEMORY', `the recorder has no memory of kind ${which}`);
  return createExternalBuffer(pointer, bytes);
}

/** Prebuilt once: building it at every call costs as much as the call. */
export class Waiter {
  readonly #params: FFIParams<typeof I32>;
  readonly #values: number[];
  constructor(handle: number) {
    this.#values = [handle, 0];
    this.#params = {
      library: LIBRARY,
      funcName: 'fr_wait',
      retType: I32,
      paramsType: [I32, U32],
      paramsValue: this.#values,
    };
  }
  /** Slots now in the batch; waits at most `timeoutUs` for the doorbell if there are none. */
  wait(timeoutUs: number): number {
    this.#values[1] = timeoutUs;
    return load(this.#params);
  }
}

/** Ends a `Waiter.wait` that is under way in another thread, or its next one. */
export function wake(handle: number): void {
  call('fr_wake', I32, [I32], [handle]);
}

/**
 * Writes a frozen bank's records, in total order, to an open file from byte `at` on; returns slots written or a negative
 * errno. `starts`: per CPU and share, the slots claimed when the bank was armed. `figures` gets, per CPU and share: first
 * ts, last ts, events, and slots overwritten since it was armed.
 */
export function saveBank(
  handle: number,
  bank: number,
  starts: BigUint64Array,
  fd: number,
  at: number,
  fromNs: bigint,
  figures: BigUint64Array,
): number {
  const bytes = (a: BigUint64Array) => Buffer.from(a.buffer, a.byteOffset, a.byteLength);
  return Number(
    call(
      'fr_save',
      I64,
      [I32, U32, U8Array, I32, I64, U64, U8Array],
      [handle, bank, bytes(starts), fd, at, Number(fromNs), bytes(figures)],
    ),
  );
}

/** Per program, in the object's order: runs, ns, recursion misses. */
export function programFigures(handle: number, count: number): BigUint64Array {
  const figures = new BigUint64Array(count * 3);
  call('fr_programs', I32, [I32, U8Array, U32], [handle, Buffer.from(figures.buffer), count]);
  return figures;
}

/** Starts sampling what the programs cost, until the recorder is closed; this process must still have CAP_SYS_ADMIN. */
export function startStats(handle: number): number {
  return call('fr_stats_start', I32, [I32], [handle]);
}

/** Since sampling was started: ns, ns of these in which the kernel counted, and errno if it refused to. */
export function statsTimes(handle: number): { wallNs: number; sampledNs: number; errno: number } {
  const answer = new BigUint64Array(3);
  call('fr_stats', I32, [I32, U8Array], [handle, Buffer.from(answer.buffer)]);
  const [wallNs, sampledNs, errno] = Array.from(answer, Number) as [number, number, number];
  return { wallNs, sampledNs, errno };
}

/** Slots of a share ever claimed in a ring. */
export function slotsClaimed(handle: number, bank: number, cpu: number, share: number): number {
  return Number(call('fr_head', I64, [I32, U32, U32, U32], [handle, bank, cpu, share]));
}

/** Cookie of the namespace at `path` ('' for our own) and index in it of `ifname` ('' for none); or a negative errno. */
export function askNetns(path: string, ifname: string): { code: number; cookie: bigint; ifindex: number } {
  const answer = new BigUint64Array(2);
  const code = call('fr_netns', I32, [Text, Text, U8Array], [path, ifname, Buffer.from(answer.buffer)]);
  return { code, cookie: answer[0] as bigint, ifindex: Number(answer[1]) };
}

/** Gives up all capabilities but these bits, for this thread and those it starts from now on. */
export function keepCapabilities(mask: bigint): number {
  return call('fr_keep_capabilities', I32, [U64], [Number(mask)]);
}

export function closeRecorder(handle: number): void {
  call('fr_close', I32, [I32], [handle]);
}
