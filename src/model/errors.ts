// Every error a user can meet: a stable code, one sentence that says what to do, and the exit status it maps to.

/** Exit statuses of the command line, the same for every command; `incomplete`: no violation, but events were lost. */
export const EXIT = { fine: 0, violation: 1, badInput: 2, kernelRefused: 3, incomplete: 4 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The base of all errors made by flightring; `code` is stable, `message` is for a person. */
export class FlightringError extends Error {
  readonly code: string;
  readonly exitCode: ExitCode;

  constructor(code: string, message: string, exitCode: ExitCode, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.exitCode = exitCode;
  }
}

/** A wrong flag, value, file name or invariant module. */
export class UsageError extends FlightringError {
  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(code, message, EXIT.badInput, options);
  }
}

/** A recording that is damaged, cut short, or not a recording. */
export class RecordingError extends FlightringError {
  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(code, message, EXIT.badInput, options);
  }
}

/** A question to recordings that can't be answered; the message is DuckDB's own, with the place in the SQL, or a line for each of them. */
export class QueryError extends FlightringError {
  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(code, message, EXIT.badInput, options);
  }
}

/** The kernel refused: no privilege, no BTF, lockdown, a probe that can't be attached. */
export class KernelError extends FlightringError {
  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(code, message, EXIT.kernelRefused, options);
  }
}

/** The lab (an emulated machine) could not be prepared, booted or used. */
export class LabError extends FlightringError {
  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(code, message, EXIT.kernelRefused, options);
  }
}
