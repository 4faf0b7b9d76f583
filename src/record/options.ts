// What a recorder is asked to do, with its defaults.

import type { Violation } from '../model/violation.ts';

export interface RecordOptions {
  /** Paths to record, default all this build has but `mark`. */
  readonly paths?: readonly string[];
  /** Names of built-in invariants; default all of the paths. */
  readonly invariants?: readonly string[];
  /** Modules with a user's own invariants, as file names. */
  readonly modules?: readonly string[];
  /**
   * The recording holds at most the last so many events of each path up to the violation and the time after it, and no
   * more of them than its share of the rings. Default all that the shares hold: 65536 events per CPU of a data path.
   */
  readonly lastEvents?: number;
  /** The recording holds the events of the last so many ns before the violation. */
  readonly beforeNs?: number;
  /** Record on for so many ns after the violation. Default 0. */
  readonly afterNs?: number;
  /** Folder for recordings. Default the present one. */
  readonly out?: string;
  /** End after the first recording. */
  readonly once?: boolean;
  /** `by-hand`: after a freeze nothing freezes until `Recorder.rearm()`. Default `at-once`. */
  readonly rearm?: 'at-once' | 'by-hand';
  readonly freezeOn?: 'violation' | 'warning' | 'none';
  /** On stop, export what is held. */
  readonly exportOnStop?: boolean;
  /** Let checks in the kernel freeze inside the offending event. Default true. */
  readonly tripwires?: boolean;
  readonly attach?: 'fentry' | 'kprobe';
  /** Programs and libraries whose FLIGHTRING_MARKs are recorded, too; with any, so are those of `flightring mark`. */
  readonly marks?: readonly string[];
  /** Give up all capabilities that a running recorder doesn't need, for this whole process. Default false. */
  readonly dropPrivileges?: boolean;
  /** A network namespace, as a path (/run/netns/NAME, /proc/PID/ns/net); only its devices are recorded. */
  readonly netns?: string;
  readonly ifname?: string;
  readonly pid?: number;
  readonly comm?: string;
  /** Bytes to keep of each packet received by an AF_XDP socket, at most SNAPLEN_MAX. Default 0: no packet is looked at. */
  readonly snaplen?: number;
}

/** FR_PACKET_BYTES of bpf/types.bpf.h. */
export const SNAPLEN_MAX = 128;

/** Slots per CPU and bank of a data path when nothing is said: 4 MiB. */
const DEFAULT_SLOTS = 65_536;
/** However little is to be kept: the reader needs this room, or a delay of its own loses events. */
const LEAST_SLOTS = DEFAULT_SLOTS;
const MOST_SLOTS = 4 << 20;
/** Events per second and CPU that --before reckons with. */
const EXPECTED_RATE = 100_000;

/** Slots per CPU of a data path for a contracted window: a power of two that holds it. */
export function slotsFor(options: RecordOptions): number {
  const wanted =
    options.lastEvents ??
    (options.beforeNs === undefined ? DEFAULT_SLOTS : (options.beforeNs / 1e9) * EXPECTED_RATE);
  let slots = LEAST_SLOTS;
  while (slots < wanted && slots < MOST_SLOTS) slots *= 2;
  return slots;
}

export interface Exported {
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
  readonly cause: string;
  readonly violations: readonly Violation[];
  /** ms from the flip until the raw events were safe, and until the Parquet file was whole. */
  readonly savedMs: number;
  readonly exportedMs: number;
  readonly latencyNs: number | null;
}
