// Opens a recorder: looks at the options, loads and attaches the probes, arms the rings and starts the checking.

import { constants } from 'node:os';
import { PROBE_PATHS } from '../generated/probes.ts';
import { KernelError, UsageError } from '../model/errors.ts';
import { SIDE_PATHS } from '../model/probe.ts';
import { SLOT_BYTES } from '../model/slot.ts';
import { KEPT_CAPABILITIES } from '../source/capabilities.ts';
import { describeErrno } from '../source/errno.ts';
import { requireCapabilities } from '../source/capabilities.ts';
import { openKernel } from '../source/kernel.ts';
import type { KernelFilter } from '../source/knobs.ts';
import { sharesFor, slotsOf } from '../source/shares.ts';
import { askNetns, keepCapabilities, openShim, startStats } from '../source/shim.ts';
import { type RecordOptions, SNAPLEN_MAX, slotsFor } from './options.ts';
import { checkOutput } from './output.ts';
import { Recorder } from './recorder.ts';
import { DumpThread, snapshotKinds } from './snapshot/dump-thread.ts';
import { programUrl } from '../model/installation.ts';

/** A name or path that is wrong; the rest is refused by the kernel. */
const { ENODEV, ENOENT, EINVAL } = constants.errno;
const NOT_THERE: readonly number[] = [ENODEV, ENOENT, EINVAL];

/** Bits of the tripwires in bpf/tripwires. */
const TRIPWIRES = 0b11;

function filterOf(options: RecordOptions): KernelFilter {
  const filter: { -readonly [K in keyof KernelFilter]: KernelFilter[K] } = {};
  if (options.netns !== undefined || options.ifname !== undefined) {
    const { code, cookie, ifindex } = askNetns(options.netns ?? '', options.ifname ?? '');
    if (code < 0) {
      const what = options.ifname ? `interface ${options.ifname}` : `namespace ${options.netns}`;
      const where = options.netns && options.ifname ? ` in ${options.netns}` : '';
      const sentence = `${what} was not found${where}: ${describeErrno(code)}`;
      throw NOT_THERE.includes(-code)
        ? new UsageError('NO_DEVICE', `${sentence}; "ip link" and "ip netns list" name those there are.`)
        : new KernelError('NO_DEVICE', sentence);
    }
    filter.netns = cookie;
    if (options.ifname !== undefined) filter.ifindex = ifindex;
  }
  if (options.pid !== undefined) filter.tgid = options.pid;
  if (options.comm !== undefined) filter.comm = options.comm;
  if (options.snaplen !== undefined) filter.snaplen = checkSnaplen(options.snaplen);
  return filter;
}

function checkSnaplen(bytes: number): number {
  if (Number.isInteger(bytes) && bytes >= 0 && bytes <= SNAPLEN_MAX) return bytes;
  throw new UsageError(
    'BAD_SNAPLEN',
    `a snaplen is a whole number of bytes from 0 to ${SNAPLEN_MAX}, not ${bytes}.`,
  );
}

/** Those asked for; a path that nobody asks for costs nothing. */
function pathsOf({ paths, marks = [] }: RecordOptions): string[] {
  const asked = paths ?? PROBE_PATHS.map(({ path }) => path).filter((path) => !SIDE_PATHS.includes(path));
  return marks.length > 0 && !asked.includes('mark') ? [...asked, 'mark'] : [...asked];
}

/**
 * Loads, attaches and arms a recorder; it records until `stop()`, or after one recording with `once`. `onArmed` is called
 * as soon as events are recorded: the checker follows when it returns, and finds them in the rings.
 */
export async function record(
  options: RecordOptions = {},
  onArmed?: (recorder: Recorder) => void | Promise<void>,
): Promise<Recorder> {
  const paths = pathsOf(options);
  const slots = slotsFor(options);
  requireCapabilities();
  const out = checkOutput(options.out ?? '.', slotsOf(sharesFor(paths, slots)) * SLOT_BYTES * 2);
  // A user's own module may be wrong, which must be said before anything is recorded.
  if (options.modules?.length)
    await (await import('./choose-invariants.ts')).chooseInvariants([], options.modules);
  openShim();
  const filter = filterOf(options);
  const tripwires = options.tripwires === false ? 0 : TRIPWIRES;
  const kernel = openKernel({
    paths,
    slots,
    filter,
    tripwires: options.freezeOn === 'none' ? 0 : tripwires,
    ...(options.marks ? { marks: options.marks } : {}),
    ...(options.attach ? { attach: options.attach } : {}),
  });
  if (!kernel.coverage.some(({ path, status }) => paths.includes(path) && status === 'attached')) {
    kernel.close();
    throw new KernelError(
      'NOTHING_ATTACHED',
      `this kernel takes none of the probes of ${paths.join(', ')}: "flightring doctor" says why, "flightring lab" has a kernel that does`,
    );
  }
  const kinds = snapshotKinds(paths);
  const byTask = filter.tgid !== undefined || filter.comm !== undefined;
  // It keeps the privileges that the others give up, until it has dumped.
  const dump =
    kinds.length > 0 && !byTask ? new DumpThread(programUrl('record/dump-worker'), kinds, filter) : undefined;
  const notes =
    kinds.length > 0 && byTask
      ? ['snapshot: none was taken, because what other processes change is not recorded']
      : [];
  try {
    const armedAt = Number(process.hrtime.bigint());
    kernel.arm();
    // What the programs cost is sampled by a process of its own, which keeps the capability for it; without it, it isn't.
    startStats(kernel.handle);
    // The threads started from here on inherit the little that is left.
    if (options.dropPrivileges) keepCapabilities(KEPT_CAPABILITIES);
    dump?.begin(armedAt);
    const recorder = new Recorder(options, kernel, out, { dump, notes, tripwires });
    await onArmed?.(recorder);
    const { chooseInvariants, invariantsOfPaths } = await import('./choose-invariants.ts');
    const names = options.invariants ?? invariantsOfPaths(paths);
    recorder.start(names, await chooseInvariants(names, options.modules ?? []));
    return recorder;
  } catch (error) {
    void dump?.stop();
    kernel.close();
    throw error;
  }
}

export type { Exported, RecordOptions } from './options.ts';
export type { Recorder, RecorderEvents, RecordSummary } from './recorder.ts';
