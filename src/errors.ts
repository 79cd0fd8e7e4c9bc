/** Kind of an error. It alone fixes the exit code (docs/commands.md). */
export type ErrorKind =
  | "failed"
  | "host-call"
  | "no-access"
  | "usage"
  | "xml"
  | "unsupported"
  | "not-found"
  | "wrong-state"
  | "denied"
  | "label-taken"
  | "timeout"
  | "partly";

const EXIT_CODES: Readonly<Record<ErrorKind, number>> = {
  failed: 1,
  "host-call": 1,
  "no-access": 5,
  usage: 2,
  xml: 2,
  unsupported: 2,
  "not-found": 3,
  "wrong-state": 4,
  denied: 5,
  "label-taken": 5,
  timeout: 6,
  partly: 7,
};

/** Most errors that are listed at once. */
export const MOST_LISTED = 100;

/** Remedy for a state that only a fault in svirt causes. */
export const REPORT_FAULT = "This is a fault in svirt: report it, with the command and what came before it.";
/** Remedy if QEMU has ended or its answer cannot be parsed. */
export const SEE_QEMU_LOG = "See QEMU's own words: its log is in /var/log/svirt.";
/** Remedy for a refusal by QEMU. */
export const HEED_QEMU =
  "Change what QEMU complains of; what it can be told it says itself: svirt qemu-monitor-command DOMAIN query-commands";

interface ErrorFacts {
  readonly kind: ErrorKind;
  /** One instruction for the operator. */
  readonly remedy: string;
  /** XPath of the element or attribute that is refused. */
  readonly place?: string;
  readonly cause?: unknown;
}

/** Error of svirt: the attempt and the reason, with a remedy. */
export class SvirtError extends Error {
  readonly kind: ErrorKind;
  readonly remedy: string;
  readonly place: string | undefined;

  constructor(message: string, facts: ErrorFacts) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = "SvirtError";
    this.kind = facts.kind;
    this.remedy = facts.remedy;
    this.place = facts.place;
  }

  /** Exit code: 1 failed, 2 usage or XML, 3 not found, 4 wrong state, 5 denied or label-taken, 6 timeout, 7 partly. */
  get exitCode(): number {
    return EXIT_CODES[this.kind];
  }
}

/** Several errors of one attempt. Message, kind and remedy are those of the first. */
class SvirtErrors extends SvirtError {
  readonly errors: readonly SvirtError[];

  constructor(first: SvirtError, later: readonly SvirtError[]) {
    const { kind, message, place, remedy } = first;
    super(message, { kind, remedy, cause: first, ...(place === undefined ? {} : { place }) });
    this.errors = [first, ...later];
  }
}

/** Throws the errors as one error, the first 100 of them; a single one unchanged. Returns if there is none. */
export function throwErrors([first, ...later]: readonly SvirtError[]): void {
  if (first === undefined) return;
  throw later.length === 0 ? first : new SvirtErrors(first, firstErrors([first, ...later]).slice(1));
}

/** Returns the first 100 errors; if there are more, an error that says so follows. */
export function firstErrors(errors: readonly SvirtError[]): readonly SvirtError[] {
  const next = errors[MOST_LISTED];
  if (next === undefined) return errors;
  const message = `Cannot list all refusals: there are more than ${MOST_LISTED}`;
  const last = new SvirtError(message, { kind: next.kind, remedy: "Correct these first." });
  return [...errors.slice(0, MOST_LISTED), last];
}

/** Returns the errors that a function throws; none if it throws none. Rethrows a value that is not a SvirtError. */
export function errorsOf(act: () => unknown): readonly SvirtError[] {
  try {
    act();
    return [];
  } catch (thrown) {
    if (!(thrown instanceof SvirtError)) throw thrown;
    return listErrors(thrown);
  }
}

/** Lists the errors in a thrown value. A value that is not a SvirtError is a fault in svirt. */
export function listErrors(thrown: unknown): readonly SvirtError[] {
  return thrown instanceof SvirtErrors ? thrown.errors : [asSvirtError(thrown)];
}

/** Joins errors while undoing to the error that caused the undo, which keeps its kind and remedy. */
export function joinErrors(first: unknown, later: readonly unknown[]): SvirtError {
  const base = asSvirtError(first);
  if (later.length === 0) return base;
  const more = later.map((error) => asSvirtError(error).message).join("; then: ");
  return new SvirtError(`${base.message}; then: ${more}`, {
    kind: base.kind,
    remedy: base.remedy,
    cause: first,
  });
}

/** Returns any thrown value as a SvirtError; a value that is not one is a fault in svirt. */
export function asSvirtError(thrown: unknown): SvirtError {
  if (thrown instanceof SvirtError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new SvirtError(message, {
    kind: "failed",
    remedy: REPORT_FAULT,
    cause: thrown,
  });
}
