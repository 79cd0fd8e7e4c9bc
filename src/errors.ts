import {
  errorFrom,
  type LibvirtDomain,
  type LibvirtError,
  type LibvirtName,
  namedError,
} from "./virterror.ts";

// Rule: The error's kind sets the exit code and libvirt's error number.

/**
 * Kind of an error. It determines the exit code (docs/commands.md) and, unless the error names another,
 * libvirt's error.
 */
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
  | "in-use"
  | "timeout"
  | "partly";

/** Exit code of each kind, and the default libvirt error. */
const KINDS: Readonly<Record<ErrorKind, { readonly exitCode: number; readonly libvirt: LibvirtName }>> = {
  failed: { exitCode: 1, libvirt: "INTERNAL_ERROR" },
  "host-call": { exitCode: 1, libvirt: "SYSTEM_ERROR" },
  "no-access": { exitCode: 5, libvirt: "SYSTEM_ERROR" },
  usage: { exitCode: 2, libvirt: "INVALID_ARG" },
  xml: { exitCode: 2, libvirt: "XML_ERROR" },
  unsupported: { exitCode: 2, libvirt: "CONFIG_UNSUPPORTED" },
  // As libvirt reports a missing file of the host. A lookup of a domain, network, device or volume names its
  // own error.
  "not-found": { exitCode: 3, libvirt: "SYSTEM_ERROR" },
  "wrong-state": { exitCode: 4, libvirt: "OPERATION_INVALID" },
  denied: { exitCode: 5, libvirt: "ACCESS_DENIED" },
  "in-use": { exitCode: 5, libvirt: "RESOURCE_BUSY" },
  timeout: { exitCode: 6, libvirt: "OPERATION_TIMEOUT" },
  partly: { exitCode: 7, libvirt: "OPERATION_FAILED" },
};

/** Maximum number of errors in one list. */
export const MOST_LISTED = 100;

/** Remedy for a state caused by a fault in svirt. */
export const REPORT_FAULT = "Report this fault in svirt, with the command and the commands before it.";
/** Remedy if QEMU has ended or its answer cannot be parsed. */
export const SEE_QEMU_LOG = "See QEMU's log in /var/log/svirt.";
/** Remedy for a refusal by QEMU. */
export const HEED_QEMU =
  "Correct the fault that QEMU reports; list its commands: svirt qemu-monitor-command DOMAIN query-commands";

/** Remedy if svirt does not run in its own domain. */
export const GIVE_LABEL =
  "Load svirt's policy module, and label svirt svirt_manager_exec_t: restorecon -v /usr/bin/svirt";

/** Facts of an error. */
export interface ErrorFacts {
  readonly kind: ErrorKind;
  /** One instruction for the operator. */
  readonly remedy: string;
  /** XPath of the refused element or attribute. */
  readonly place?: string;
  /** libvirt's error, if clients of libvirt distinguish more than the kind does. */
  readonly libvirt?: LibvirtName;
  /**
   * Part of libvirt reporting this error, if it differs from the number's usual part: VIR_FROM_THIS of
   * libvirt's source file.
   */
  readonly from?: LibvirtDomain | undefined;
  readonly cause?: unknown;
}

/** Error of svirt: the attempt and the reason, with a remedy. */
export class SvirtError extends Error {
  readonly kind: ErrorKind;
  /** libvirt's error: the named error, or the error of a cause of the same kind, or the kind's error. */
  readonly libvirt: LibvirtError;
  readonly remedy: string;
  readonly place: string | undefined;

  constructor(message: string, facts: ErrorFacts) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = "SvirtError";
    this.kind = facts.kind;
    this.libvirt = libvirtError(facts);
    this.remedy = facts.remedy;
    this.place = facts.place;
  }

  /**
   * Exit code: 1 failed, 2 usage or XML, 3 not found, 4 wrong state, 5 denied or in-use, 6 timeout, 7 partly.
   */
  get exitCode(): number {
    return KINDS[this.kind].exitCode;
  }
}

function libvirtError({ cause, from, kind, libvirt }: ErrorFacts): LibvirtError {
  const isInherited = libvirt === undefined && cause instanceof SvirtError && cause.kind === kind;
  const error = isInherited ? cause.libvirt : namedError(libvirt ?? KINDS[kind].libvirt);
  return from === undefined ? error : errorFrom(from, error);
}

/** Several errors of one attempt. Message, kind and remedy are from the first error. */
class SvirtErrors extends SvirtError {
  readonly errors: readonly SvirtError[];

  constructor(first: SvirtError, later: readonly SvirtError[]) {
    const { kind, message, place, remedy } = first;
    super(message, { kind, remedy, cause: first, ...(place === undefined ? {} : { place }) });
    this.errors = [first, ...later];
  }
}

/**
 * Throws the errors as a single error, the first 100 of them; a lone error unchanged. Returns if there is
 * none.
 */
export function throwErrors([first, ...later]: readonly SvirtError[]): void {
  if (first === undefined) return;
  throw later.length === 0 ? first : new SvirtErrors(first, firstErrors([first, ...later]).slice(1));
}

/** Returns the first 100 errors; if there are more, a last error says so. */
export function firstErrors(errors: readonly SvirtError[]): readonly SvirtError[] {
  const next = errors[MOST_LISTED];
  if (next === undefined) return errors;
  const message = `Cannot list all refusals: there are more than ${MOST_LISTED}`;
  const last = new SvirtError(message, { kind: next.kind, remedy: "Correct these refusals first." });
  return [...errors.slice(0, MOST_LISTED), last];
}

/** Returns the errors of work as errorsOf() does. */
export async function errorsOfWork(work: () => Promise<unknown>): Promise<readonly SvirtError[]> {
  try {
    await work();
    return [];
  } catch (thrown) {
    return errorsOf(() => {
      throw thrown;
    });
  }
}

/**
 * Returns the errors thrown by a function; none if it throws none. Rethrows a value other than a SvirtError.
 */
export function errorsOf(act: () => unknown): readonly SvirtError[] {
  try {
    act();
    return [];
  } catch (thrown) {
    if (!(thrown instanceof SvirtError)) throw thrown;
    return listErrors(thrown);
  }
}

/** Returns the result of work as unlessRefused() does. */
export async function unlessWorkRefused<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await work();
  } catch (thrown) {
    return unlessRefused(() => {
      throw thrown;
    });
  }
}

/**
 * Receives the error of a part without ending the whole, such as a damaged file in a list. The error names
 * the file and the remedy.
 */
export type OnRefused = (error: SvirtError) => void;

/**
 * Returns the result of a function. A thrown SvirtError goes to `onRefused`, and the result is undefined.
 * Rethrows any other value.
 */
export function unlessRefused<Result>(
  act: () => Result,
  onRefused: OnRefused = () => undefined,
): Result | undefined {
  try {
    return act();
  } catch (thrown) {
    if (!(thrown instanceof SvirtError)) throw thrown;
    onRefused(thrown);
    return undefined;
  }
}

/** Lists the errors in a thrown value. A value other than a SvirtError is a fault in svirt. */
export function listErrors(thrown: unknown): readonly SvirtError[] {
  return thrown instanceof SvirtErrors ? thrown.errors : [asSvirtError(thrown)];
}

/** Joins errors while undoing to the error before them. The first error keeps its kind and remedy. */
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

/** Returns any thrown value as a SvirtError; another value is a fault in svirt. */
export function asSvirtError(thrown: unknown): SvirtError {
  if (thrown instanceof SvirtError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new SvirtError(message, {
    kind: "failed",
    remedy: REPORT_FAULT,
    cause: thrown,
  });
}
