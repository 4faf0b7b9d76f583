// One object's life-line.

/** The same object for all events of one life-line. */
export interface Line {
  /** From 1 on, in order of appearance. */
  readonly id: number;
  /** What lines are grouped by: `frame`, `neighbour`. */
  readonly type: string;
  readonly path: string;
  /** As `--object` takes it. */
  readonly label: string;
  /** Null while it isn't known. */
  state: string | null;
}
