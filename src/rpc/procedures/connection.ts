import { SvirtError } from "../../errors.ts";
import { getHostname, getUri } from "../../vm/host/host-name.ts";
import { checkUri } from "../uri.ts";
import { array, int, struct, uint } from "../xdr/form.ts";
import { type TypedValue, typedParameter } from "../xdr/typed-parameter.ts";
import { aNumber, aText, maybeText, nothing } from "./objects.ts";
import { notOpen, type Procedure, procedure } from "./procedure.ts";
import { valuesOf } from "./tuning/parameters.ts";

/** VIR_CONNECT_RO of libvirt */
const READ_ONLY = 1;
/**
 * Flags of virConnectOpen(): libvirtd ignores the client's own flags. remoteDispatchConnectOpen() of libvirt
 */
const ALL_FLAGS = 0xff_ff_ff_ff;
/** VIR_DRV_FEATURE_PROGRAM_KEEPALIVE. Clients ask for it before they open the connection. */
const KEEPALIVE = 10;
/** REMOTE_AUTH_NONE: the login of SSH has authenticated the client. */
const AUTH_NONE = 0;
/** REMOTE_AUTH_TYPE_LIST_MAX of libvirt's remote_protocol.x */
const MOST_AUTH_TYPES = 20;

/**
 * Implemented features. Without 14, clients would use the events of before 2014. The callback of 15 reports
 * that a hypervisor's connection was lost, and svirt has none. src/libvirt_internal.h of libvirt
 */
const FEATURES: ReadonlySet<number> = new Set([
  9, // VIR_DRV_FEATURE_TYPED_PARAM_STRING
  KEEPALIVE,
  14, // VIR_DRV_FEATURE_REMOTE_EVENT_CALLBACK
  15, // VIR_DRV_FEATURE_REMOTE_CLOSE_CALLBACK
  16, // VIR_DRV_FEATURE_NETWORK_UPDATE_HAS_CORRECT_ORDER
]);

/** REMOTE_CONNECT_IDENTITY_PARAMS_MAX of libvirt's remote_protocol.x */
const MOST_IDENTITY = 20;

/** Parameters of an identity. virIdentitySetParameters() of libvirt */
const IDENTITY: ReadonlyMap<string, TypedValue["type"]> = new Map([
  ["user-name", "string"],
  ["unix-user-id", "ullong"],
  ["group-name", "string"],
  ["unix-group-id", "ullong"],
  ["process-id", "llong"],
  ["process-time", "ullong"],
  ["sasl-user-name", "string"],
  ["x509-distinguished-name", "string"],
  ["selinux-context", "string"],
  ["system.token", "string"],
]);

/** Procedures for a client's opening and closing of its connection. */
export const connectionProcedures: readonly Procedure[] = [
  procedure({
    number: 1,
    api: "virConnectOpen",
    isBeforeOpen: true,
    args: struct({ name: maybeText, flags: uint }),
    flags: { known: ALL_FLAGS, refusedBy: "qemuConnectOpen" },
    result: nothing,
    run({ args, instance, session }) {
      if (session.opened !== undefined) throw alreadyOpen();
      checkUri(instance, args.name ?? "");
      session.opened = { key: (args.flags & READ_ONLY) === 0 ? session.key : "read-only" };
      return {};
    },
  }),
  procedure({
    number: 2,
    api: "virConnectClose",
    isBeforeOpen: true,
    args: nothing,
    result: nothing,
    // virNetServerClientDelayedClose() of libvirt: the reply is the last.
    run({ session }) {
      session.isClosed = true;
      return {};
    },
  }),
  procedure({
    number: 66,
    api: "virConnectOpen",
    isBeforeOpen: true,
    args: nothing,
    result: struct({ types: array(int, MOST_AUTH_TYPES) }),
    run: () => ({ types: [AUTH_NONE] }),
  }),
  procedure({
    number: 60,
    api: "virConnectSupportsFeature",
    isBeforeOpen: true,
    args: struct({ feature: int }),
    result: aNumber,
    // remoteDispatchConnectSupportsFeature() of libvirt
    run({ args, session }) {
      if (args.feature !== KEEPALIVE && session.opened === undefined) throw notOpen();
      return { value: FEATURES.has(args.feature) ? 1 : 0 };
    },
  }),
  procedure({
    number: 360,
    api: "virConnectRegisterCloseCallback",
    args: nothing,
    result: nothing,
    run: () => ({}),
  }),
  procedure({
    number: 361,
    api: "virConnectUnregisterCloseCallback",
    args: nothing,
    result: nothing,
    run: () => ({}),
  }),
  procedure({
    number: 110,
    api: "virConnectGetURI",
    args: nothing,
    result: aText,
    run: ({ instance }) => ({ value: getUri(instance) }),
  }),
  procedure({
    number: 59,
    api: "virConnectGetHostname",
    args: nothing,
    result: aText,
    run: ({ instance }) => ({ value: getHostname(instance) }),
  }),
  // qemuConnectIsSecure() of libvirt: the hypervisor is on the same host.
  procedure({
    number: 149,
    api: "virConnectIsSecure",
    args: nothing,
    result: aNumber,
    run: () => ({ value: 1 }),
  }),
  procedure({
    number: 419,
    api: "virConnectSetIdentity",
    args: struct({ params: array(typedParameter, MOST_IDENTITY), flags: uint }),
    // libvirtd does not look at the flags. remoteDispatchConnectSetIdentity()
    flags: { known: ALL_FLAGS, refusedBy: "qemuConnectSetIdentity" },
    result: nothing,
    // The rights of a connection are its key's: no identity changes them.
    run({ args }) {
      valuesOf(args.params, IDENTITY);
      return {};
    },
  }),
];

/** remoteDispatchConnectOpen() of libvirt */
function alreadyOpen(): SvirtError {
  return new SvirtError("internal error: connection already open", {
    kind: "failed",
    from: "RPC",
    remedy: "Close the connection first, or make another one.",
  });
}
