// A scenario: what runs live in the lab while a recorder watches, and what the recorder must say of it.

/** One run of a workload. Files of src/lab/scenarios export lists of them; `npm run generate` collects the lists. */
export interface Scenario {
  readonly name: string;
  /** The story it belongs to: `flightring lab run STORY` runs all of a story's scenarios. Default none. */
  readonly story?: string;
  /** One sentence: what the application does. */
  readonly about: string;
  /** Paths recorded. */
  readonly paths: readonly string[];
  /**
   * `forwarder`: the AF_XDP forwarder between two veth pairs, with traffic. `program`: the file of test/workloads that
   * the first of `words` names, a shell script or a program that was built from there.
   */
  readonly workload: 'forwarder' | 'program';
  /** Words for the forwarder; or the program and its words. */
  readonly words: readonly string[];
  /** A program of test/workloads and its words, run before recording begins: what the snapshot is to find. */
  readonly before?: readonly string[];
  /**
   * Pairs of network cards that the machine must have; the forwarder sits between two pairs (wire-topology.sh), not
   * between veth pairs.
   */
  readonly wires?: number;
  /** Words for veth-topology.sh. */
  readonly topology?: readonly string[];
  /** Packets sent through the forwarder, and how many a second; a program finds the number in FLIGHTRING_PACKETS. */
  readonly packets?: number;
  readonly rate?: number;
  /**
   * Of these packets at most so many are on their way at a time, however long an emulated machine keeps the forwarder
   * from running: less than its rings hold, so that none is dropped for want of room. Default any number.
   */
  readonly window?: number;
  /** A program or script of test/workloads with its words that runs beside the forwarder's traffic and is ended with it. */
  readonly beside?: readonly string[];
  /** Events recorded at most, in place of what the run's options say: what an emulated machine has no time for meanwhile must fit. */
  readonly lastEvents?: number;
  /** What is held at the end is recorded although nothing is broken. */
  readonly keep?: boolean;
  /** Kernel modules that the workload needs before the probes are attached: those of a module that isn't there can't be. */
  readonly modules?: readonly string[];
  /** The invariants of which at least one must fire, and no other may; empty for a healthy run. */
  readonly expects: readonly string[];
  /** Kernels from this version on, for example `6.16`, have the fault no more: there the run is a healthy one. */
  readonly expectsBelow?: string;
  /** Kernels older than this version, for example `6.13`, can't do what it is about. */
  readonly since?: string;
  /**
   * Kernels to run it on one after the other, as the lab names them: `6.1`, `6.12`, `newest`. Default the lab's own one.
   */
  readonly kernels?: readonly string[];
  /** Invariants that may fire beside them; in a healthy run only with warnings, which its `about` explains. */
  readonly mayExpect?: readonly string[];
  /**
   * Words that the sentence of an expected invariant must contain: what it names as the culprit. `{field}` stands for a
   * field of the line by which the workload announces its fault.
   */
  readonly says?: readonly string[];
  /** Time after the offending event that the recording goes on, in ms. Default 2. */
  readonly afterMs?: number;
  /** Time for the events after the workload has ended, in ms. Default 300; invariants with a limit of time need more. */
  readonly settleMs?: number;
  /** The tripwire in the kernel must have frozen the rings. */
  readonly tripwire?: boolean;
  readonly freezeOn?: 'warning';
  /** It needs a recorder of its own. */
  readonly alone?: true;
  /** Attach by this method only. */
  readonly attach?: 'kprobe';
  /** Bytes to keep of each packet received. Default none. */
  readonly snaplen?: number;
}

/** The scenario as it runs on a kernel of this release (`uname -r`): without its fault where the kernel has that no more. */
export function scenarioOn(scenario: Scenario, release: string): Scenario {
  const { expectsBelow } = scenario;
  return expectsBelow === undefined || isOlder(release, expectsBelow)
    ? scenario
    : { ...scenario, expects: [] };
}

/** Whether a kernel of this release can run the scenario. */
export function runsOn({ since }: Scenario, release: string): boolean {
  return since === undefined || !isOlder(release, since);
}

function isOlder(release: string, version: string): boolean {
  const [major = 0, minor = 0] = release.split('.').map((part) => Number.parseInt(part, 10));
  const [wantedMajor = 0, wantedMinor = 0] = version.split('.').map(Number);
  return major === wantedMajor ? minor < wantedMinor : major < wantedMajor;
}

/** Paths that are recorded together. Where many namespaces come and go, those of `netns` have much to say of it. */
const families = [['xfrm', 'vxlan', 'link', 'neigh', 'sockiter'], ['xsk', 'neigh'], ['netns']];

/**
 * Divides scenarios into those that one recorder serves, armed anew for each. Those whose paths belong to one family share
 * one; alone are those that ask for more, or for a recorder of their own.
 */
export function shareRecorders(scenarios: readonly Scenario[]): Scenario[][] {
  const sessions = new Map<string, Scenario[]>();
  for (const scenario of scenarios) {
    const { name, paths, alone, attach, snaplen, lastEvents } = scenario;
    const family = families.find((all) => paths.every((path) => all.includes(path)))?.[0];
    const isOwn = alone ?? attach ?? snaplen ?? lastEvents;
    const key = isOwn === undefined ? (family ?? name) : name;
    sessions.set(key, [...(sessions.get(key) ?? []), scenario]);
  }
  // What was there before recording began comes first.
  return [...sessions.values()].map((session) =>
    session.toSorted((left, right) => Number(right.before !== undefined) - Number(left.before !== undefined)),
  );
}
