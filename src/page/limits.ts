// How much of a recording a page holds.

/** A recording of up to so many events is embedded whole. */
export const WHOLE = 4000;
/** Violations told, and those of them whose objects are followed. */
export const VIOLATIONS_MAX = 100;
export const FOLLOWED_MAX = 12;
/** Objects followed per violation. */
export const LIVES_MAX = 4;
/** Events around a violation, whatever they are about. */
export const BEFORE = 700;
export const AFTER = 200;
export const LAST = 2000;
export const EVIDENCE_MAX = 64;
export const CPU_LANES_MAX = 256;
export const THREAD_LANES_MAX = 200;

/** Points of a life up to the violation, and from there on. */
export const LIFE_BEFORE = 400;
export const LIFE_AFTER = 100;
