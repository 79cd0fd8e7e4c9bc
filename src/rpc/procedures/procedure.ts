import type { Key } from "../../access/key.ts";
import { type ApiUse, type ArgumentUse, mayUse } from "../../access/uses.ts";
import { type OnRefused, SvirtError } from "../../errors.ts";
import type { DataStream } from "../../host/channels.ts";
import type { Instance } from "../../state/instance.ts";
import type { RunningGuest } from "../../state/running-guests.ts";
import type { LibvirtDomain } from "../../virterror.ts";
import type { Form } from "../xdr/form.ts";
import type { Subscriptions } from "./events/subscriptions.ts";

/** Connection of a client. */
export interface Session {
  readonly instance: Instance;
  /** Key of the client. */
  readonly key: Key;
  /** Set by virConnectOpen(), with the rights of the connection; undefined before. */
  opened?: { readonly key: Key };
  /** Set by virConnectClose(): no further call is read. */
  isClosed?: true;
  /** Events of the client's registrations. */
  readonly events: Subscriptions;
  /** Number of open streams. */
  streams: number;
  /** Reports an error without ending a call. */
  warn(error: SvirtError | string): void;
  /** Reports a damaged file that a list leaves out, once in the connection: clients list often. */
  readonly onDamaged: OnRefused;
}

/** Stream opened by a call. */
export interface OpenedStream {
  readonly stream: DataStream;
  /** Whether the client takes and sends holes. */
  readonly isSparse: boolean;
}

/** Call of a procedure. */
export interface RemoteCall<Args> {
  readonly args: Args;
  readonly session: Session;
  readonly instance: Instance;
  /** Running guests, as reported by the recovery before the call; empty without recovery. */
  readonly running: readonly RunningGuest[];
  /** Opens a stream between the client and svirt, beginning with the reply. */
  open(opened: OpenedStream): void;
}

/**
 * Implemented flags of a procedure, and libvirt's driver function with refusals of others in its own name.
 */
export interface KnownFlags {
  readonly known: number;
  readonly refusedBy: string;
}

/** A procedure with flags in its arguments must declare them; another must not. */
type FlagsOf<Args> = Args extends { readonly flags: number }
  ? { readonly flags: KnownFlags }
  : { readonly flags?: never };

/** Facts of a procedure for the refusal of calls before it runs. */
interface Facts {
  /** Number in libvirt's remote_protocol.x. */
  readonly number: number;
  /** Function of libvirt's API: the procedure's entry in the table of access. */
  readonly api: ApiUse;
  /** Whether it may be called before virConnectOpen(). */
  readonly isBeforeOpen?: true;
}

type Declared<Args, Result> = Facts &
  FlagsOf<Args> & {
    readonly args: Form<Args>;
    readonly result: Form<Result>;
    /** Returns the use that these arguments are in addition to the function; undefined: none. */
    alsoUses?(args: NoInfer<Args>): ArgumentUse | undefined;
    /**
     * Interrupted work that is finished or undone before the procedure runs, as of a command; absent: none.
     */
    recovers?(args: NoInfer<Args>): readonly string[] | "all";
    run(call: RemoteCall<Args>): Promise<Result> | Result;
  };

/** A procedure in the table. */
export interface Procedure extends Facts {
  readonly flags?: KnownFlags;
  /** Decodes the arguments and returns the call, which is not carried out yet. Throws as undecodable(). */
  prepare(payload: Uint8Array): PreparedCall;
}

/** A call with decoded arguments. */
interface PreparedCall {
  readonly flags: number;
  readonly alsoUses: ArgumentUse | undefined;
  readonly recovers: readonly string[] | "all" | undefined;
  /** Carries out the call and returns the encoded result. */
  run(context: Omit<RemoteCall<unknown>, "args">): Promise<readonly Uint8Array[]>;
}

/** Declares a procedure. */
export function procedure<Args, Result>(declared: Declared<Args, Result>): Procedure {
  const { api, args: form, flags, isBeforeOpen, number, result } = declared;
  return {
    api,
    number,
    ...(flags === undefined ? {} : { flags }),
    ...(isBeforeOpen === undefined ? {} : { isBeforeOpen }),
    prepare(payload) {
      const args = form.decode({ bytes: payload, at: 0 });
      return {
        flags: flagsOf(args),
        alsoUses: declared.alsoUses?.(args),
        recovers: declared.recovers?.(args),
        async run(context) {
          const parts: Uint8Array[] = [];
          result.encode(await declared.run({ ...context, args }), parts);
          return parts;
        },
      };
    },
  };
}

function flagsOf(args: unknown): number {
  const { flags = 0 }: { readonly flags?: unknown } = typeof args === "object" && args !== null ? args : {};
  return typeof flags === "number" ? flags : 0;
}

/** Throws "usage" in libvirt's words for a flag that is not implemented. virCheckFlags() of libvirt */
export function checkFlags(flags: number, { known, refusedBy }: KnownFlags): void {
  const others = (flags & ~known) >>> 0;
  if (others === 0) return;
  throw new SvirtError(`unsupported flags (0x${others.toString(16)}) in function ${refusedBy}`, {
    kind: "usage",
    from: partWith(refusedBy),
    remedy: "Leave these flags out.",
  });
}

/**
 * Returns the part of libvirt with the named function in its source: libvirt-network.c and bridge_driver.c,
 * libvirt-storage.c and storage_driver.c, libvirt-secret.c and secret_driver.c, and so on; of a function
 * called by these, such as virHostCPUGetMap(), its own. Undefined for any other function: its errors have the
 * usual domain of their number.
 */
export function partWith(name: string): LibvirtDomain | undefined {
  if (name.startsWith("virHost")) return "NONE";
  if (name.startsWith("virDomainObj")) return "DOMAIN";
  if (/^virDomain.*Snapshot/.test(name)) return "DOMAIN_SNAPSHOT";
  if (/storage/i.test(name)) return "STORAGE";
  if (/nwfilter/i.test(name)) return "NWFILTER";
  if (/nodeDevice|^nodeNumOf|^nodeList|^nodeConnect/i.test(name) && !name.startsWith("qemu"))
    return "NODEDEV";
  if (/interface/i.test(name) && !/domain/i.test(name)) return "INTERFACE";
  if (/secret/i.test(name)) return "SECRET";
  return /network/i.test(name) ? "NETWORK" : undefined;
}

/**
 * Throws "denied" in libvirt's words for a use that a key may not do. virCheckReadOnlyGoto() and
 * virReportRestrictedError() of libvirt
 */
export function refuseUse(key: Key, use: ApiUse | ArgumentUse): void {
  if (mayUse(key, use)) return;
  const [api = ""] = use.split(" ");
  const what = use.endsWith(" with secure flag") ? use : `read only access prevents ${api}`;
  throw new SvirtError(`operation forbidden: ${what}`, {
    kind: "denied",
    libvirt: "OPERATION_DENIED",
    from: partWith(api),
    remedy: "Connect without -r, by a key without --read-only.",
  });
}

/** Returns the error of a call before virConnectOpen(). remoteGetHypervisorConn() of libvirt */
export function notOpen(): SvirtError {
  return new SvirtError("internal error: hypervisor connection not open", {
    kind: "failed",
    from: "RPC",
    remedy: "Open the connection first.",
  });
}

/** Returns the error of an impossible argument. virReportInvalidArg() of libvirt */
export function invalidArgument(why: string, remedy: string, from?: LibvirtDomain): SvirtError {
  return new SvirtError(`invalid argument: ${why}`, { kind: "usage", from, remedy });
}

/** Returns an error of libvirt's protocol. */
export function protocolError(message: string): SvirtError {
  return new SvirtError(message, {
    kind: "failed",
    libvirt: "RPC",
    remedy: "Use the command of svirt on the node: docs/clients.md lists the answered procedures",
  });
}

/**
 * Returns the error of a call with its work already done. A command succeeds then; procedures of libvirt
 * fail. `from` is the reporting part of libvirt; by default QEMU's driver.
 */
export function notValid(why: string, from?: LibvirtDomain): SvirtError {
  return new SvirtError(`Requested operation is not valid: ${why}`, {
    kind: "wrong-state",
    from,
    remedy: "Query the object's state first: virsh domstate DOMAIN, virsh net-info NETWORK",
  });
}
