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

/** Error that libvirt reports to its clients: virErrorNumber and virErrorDomain. */
interface LibvirtError {
  readonly name: `VIR_ERR_${string}`;
  readonly code: number;
  readonly domain: number;
}

/** virErrorDomain, include/libvirt/virterror.h of libvirt. */
const VIR_FROM = {
  NONE: 0,
  XML: 5,
  RPC: 7,
  QEMU: 10,
  NET: 11,
  STORAGE: 18,
  NETWORK: 19,
  DOMAIN: 20,
  NODEDEV: 22,
  SECURITY: 24,
  INTERFACE: 26,
  SECRET: 30,
  CPU: 31,
  NWFILTER: 33,
  DOMAIN_SNAPSHOT: 35,
  STREAMS: 38,
};

/** Part of libvirt reporting an error. */
export type LibvirtDomain = keyof typeof VIR_FROM;

/**
 * virErrorNumber, without VIR_ERR_, and the domain from which libvirt reports it by default.
 * include/libvirt/virterror.h of libvirt
 */
const LIBVIRT_ERRORS = {
  INTERNAL_ERROR: { code: 1, domain: VIR_FROM.QEMU },
  NO_SUPPORT: { code: 3, domain: VIR_FROM.STORAGE },
  NO_CONNECT: { code: 5, domain: VIR_FROM.NONE },
  INVALID_ARG: { code: 8, domain: VIR_FROM.QEMU },
  OPERATION_FAILED: { code: 9, domain: VIR_FROM.QEMU },
  XML_ERROR: { code: 27, domain: VIR_FROM.DOMAIN },
  OPERATION_ABORTED: { code: 78, domain: VIR_FROM.QEMU },
  OPERATION_DENIED: { code: 29, domain: VIR_FROM.DOMAIN },
  XML_DETAIL: { code: 35, domain: VIR_FROM.DOMAIN },
  SYSTEM_ERROR: { code: 38, domain: VIR_FROM.QEMU },
  RPC: { code: 39, domain: VIR_FROM.RPC },
  NO_DOMAIN: { code: 42, domain: VIR_FROM.QEMU },
  NO_NETWORK: { code: 43, domain: VIR_FROM.NETWORK },
  INVALID_MAC: { code: 44, domain: VIR_FROM.NETWORK },
  NO_STORAGE_POOL: { code: 49, domain: VIR_FROM.STORAGE },
  NO_STORAGE_VOL: { code: 50, domain: VIR_FROM.STORAGE },
  NO_NODE_DEVICE: { code: 53, domain: VIR_FROM.NODEDEV },
  OPERATION_INVALID: { code: 55, domain: VIR_FROM.QEMU },
  NO_INTERFACE: { code: 57, domain: VIR_FROM.INTERFACE },
  MULTIPLE_INTERFACES: { code: 59, domain: VIR_FROM.INTERFACE },
  NO_NWFILTER: { code: 62, domain: VIR_FROM.NWFILTER },
  INVALID_SECRET: { code: 65, domain: VIR_FROM.SECRET },
  NO_SECRET: { code: 66, domain: VIR_FROM.SECRET },
  CONFIG_UNSUPPORTED: { code: 67, domain: VIR_FROM.DOMAIN },
  OPERATION_TIMEOUT: { code: 68, domain: VIR_FROM.QEMU },
  NO_DOMAIN_SNAPSHOT: { code: 72, domain: VIR_FROM.QEMU },
  ARGUMENT_UNSUPPORTED: { code: 74, domain: VIR_FROM.QEMU },
  STORAGE_PROBE_FAILED: { code: 75, domain: VIR_FROM.STORAGE },
  SNAPSHOT_REVERT_RISKY: { code: 77, domain: VIR_FROM.QEMU },
  NO_DOMAIN_METADATA: { code: 80, domain: VIR_FROM.DOMAIN },
  OVERFLOW: { code: 82, domain: VIR_FROM.QEMU },
  BLOCK_COPY_ACTIVE: { code: 83, domain: VIR_FROM.QEMU },
  OPERATION_UNSUPPORTED: { code: 84, domain: VIR_FROM.QEMU },
  AGENT_UNRESPONSIVE: { code: 86, domain: VIR_FROM.QEMU },
  RESOURCE_BUSY: { code: 87, domain: VIR_FROM.SECURITY },
  ACCESS_DENIED: { code: 88, domain: VIR_FROM.SECURITY },
  STORAGE_VOL_EXIST: { code: 90, domain: VIR_FROM.STORAGE },
  CPU_INCOMPATIBLE: { code: 91, domain: VIR_FROM.CPU },
  DEVICE_MISSING: { code: 99, domain: VIR_FROM.QEMU },
  NO_NWFILTER_BINDING: { code: 101, domain: VIR_FROM.NWFILTER },
  NO_DOMAIN_CHECKPOINT: { code: 103, domain: VIR_FROM.QEMU },
  NO_DOMAIN_BACKUP: { code: 104, domain: VIR_FROM.QEMU },
  NO_NETWORK_PORT: { code: 107, domain: VIR_FROM.NETWORK },
  NO_HOSTNAME: { code: 108, domain: VIR_FROM.QEMU },
  NO_NETWORK_METADATA: { code: 111, domain: VIR_FROM.NETWORK },
} as const satisfies Readonly<Record<string, Omit<LibvirtError, "name">>>;

type LibvirtName = keyof typeof LIBVIRT_ERRORS;

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

/**
 * Returns libvirt's error of a call to a part of libvirt. Errors in XML belong to the part reading it.
 * VIR_FROM_THIS of libvirt's source files, which virXMLParse() gets
 */
export function libvirtErrorIn(part: LibvirtDomain | undefined, { libvirt }: SvirtError): LibvirtError {
  const { code, domain } = libvirt;
  const isInXml = code === LIBVIRT_ERRORS.XML_ERROR.code || code === LIBVIRT_ERRORS.XML_DETAIL.code;
  const isPlain = part === undefined || !isInXml || domain !== VIR_FROM.DOMAIN;
  return isPlain ? libvirt : { ...libvirt, domain: VIR_FROM[part] };
}

function libvirtError({ cause, from, kind, libvirt }: ErrorFacts): LibvirtError {
  const isInherited = libvirt === undefined && cause instanceof SvirtError && cause.kind === kind;
  const error = isInherited ? cause.libvirt : named(libvirt ?? KINDS[kind].libvirt);
  return from === undefined ? error : { ...error, domain: VIR_FROM[from] };
}

function named(name: LibvirtName): LibvirtError {
  return { name: `VIR_ERR_${name}`, ...LIBVIRT_ERRORS[name] };
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
