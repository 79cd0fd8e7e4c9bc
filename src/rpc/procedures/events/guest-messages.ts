import type { GuestEventKind } from "../../../vm/events/event-kind.ts";
import { type GuestEvent, isReport, type ReportOf } from "../../../vm/events/guest-events.ts";
import { array, type Form, hyper, int, struct, uhyper, uint, type ValueOf } from "../../xdr/form.ts";
import { type TypedParameter, typedParameter } from "../../xdr/typed-parameter.ts";
import { domain, maybeText, remoteDomain, text } from "../objects.ts";
import type { EventMessage } from "./event-message.ts";
import { jobParameters, statsOf } from "./job-parameters.ts";

type What = GuestEvent["what"];

/** VIR_DOMAIN_EVENT_WATCHDOG_*, _IO_ERROR_*, _GRAPHICS_* and others of libvirt's libvirt-domain.h */
const WATCHDOG = { none: 0, pause: 1, reset: 2, poweroff: 3, shutdown: 4, debug: 5, "inject-nmi": 6 };
const IO_ERROR = { ignore: 0, stop: 1, report: 2 };
const PHASE = { connect: 0, initialize: 1, disconnect: 2 };
const FAMILY = { ipv4: 0, ipv6: 1, unix: 2, vsock: 2, unknown: 2 };
const JOB = { pull: 1, copy: 2, commit: 3, "active-commit": 4 };
const STATUS = { completed: 0, failed: 1, cancelled: 2, ready: 3 };
const TRAY = { open: 0, close: 1 };
const METADATA = { description: 0, title: 1, element: 2 };
const DISK = { emptied: 0, dropped: 1 };
const FAILURE = {
  recipient: { hypervisor: 0, guest: 1 },
  action: { ignore: 0, inject: 1, fatal: 2, reset: 3 },
  actionRequired: 1,
  recursive: 2,
};
const AGENT = { connected: 1, disconnected: 2, byChannel: 2 };
/** REMOTE_DOMAIN_EVENT_GRAPHICS_IDENTITY_MAX of libvirt's remote_protocol.x */
const IDENTITY_MAX = 20;
/** REMOTE_DOMAIN_EVENT_TUNABLE_MAX of libvirt's remote_protocol.x */
const MOST_TUNABLES = 2048;
const BYTES_PER_KIB = 1024;

const head = { callback: int, dom: domain } as const;
const plain = struct(head);
const offsetMessage = struct({ ...head, offset: hyper });
const actionMessage = struct({ ...head, action: int });
const ioFields = { ...head, path: text, device: text, action: int } as const;
const ofIoError = struct(ioFields);
const ofIoErrorReason = struct({ ...ioFields, reason: text });
const address = struct({ family: int, node: text, service: text });
const ofGraphics = struct({
  ...head,
  phase: int,
  local: address,
  remote: address,
  auth: text,
  subject: array(struct({ type: text, name: text }), IDENTITY_MAX),
});
const ofJob = struct({ ...head, name: text, type: int, status: int });
const ofTray = struct({ ...head, device: text, reason: int });
const ofPower = struct({ callback: int, reason: int, dom: domain });
const ofBalloon = struct({ ...head, actual: uhyper });
const ofDevice = struct({ ...head, device: text });
const ofStatistics = struct({ ...head, params: jobParameters });
const ofTuning = struct({ ...head, params: array(typedParameter, MOST_TUNABLES) });
const ofMetadata = struct({ ...head, type: int, uri: maybeText });
const ofDisk = struct({
  callback: int,
  dom: domain,
  before: maybeText,
  after: maybeText,
  device: text,
  reason: int,
});
const ofFailure = struct({ ...head, recipient: int, action: int, flags: uint });
const ofSize = struct({ ...head, device: text, size: uhyper });
const ofAgent = struct({ ...head, state: int, reason: int });

/** The message's registration, and the domain. */
type To = ValueOf<typeof plain>;

interface Kind {
  /**
   * REMOTE_PROC_DOMAIN_EVENT_CALLBACK_* and REMOTE_PROC_DOMAIN_EVENT_BLOCK_JOB_2 of libvirt's
   * remote_protocol.x
   */
  readonly procedure: number;
  encode(callback: number, event: GuestEvent): readonly Uint8Array[] | undefined;
}

/** Kinds of events of running guests, by libvirt's names of their IDs. */
const KINDS: Readonly<Record<GuestEventKind, Kind>> = {
  reboot: kind("reboot", { procedure: 319, form: plain, make: (_, to) => to }),
  "rtc-change": kind("rtc-change", {
    procedure: 320,
    form: offsetMessage,
    make: ({ offset }, to) => ({ ...to, offset: BigInt(offset) }),
  }),
  watchdog: kind("watchdog", {
    procedure: 321,
    form: actionMessage,
    make: ({ action }, to) => ({ ...to, action: WATCHDOG[action] }),
  }),
  "io-error": kind("io-error", {
    procedure: 322,
    form: ofIoError,
    make: (what, to) => ({ ...to, ...ioErrorFields(what) }),
  }),
  graphics: kind("graphics", {
    procedure: 323,
    form: ofGraphics,
    make: ({ auth, local, phase, remote }, to) => ({
      ...to,
      phase: PHASE[phase],
      local: { ...local, family: FAMILY[local.family] },
      remote: { ...remote, family: FAMILY[remote.family] },
      auth,
      subject: [],
    }),
  }),
  // qemuMonitorJSONHandleIOError() of libvirt
  "io-error-reason": kind("io-error", {
    procedure: 324,
    form: ofIoErrorReason,
    make: (what, to) => ({
      ...to,
      ...ioErrorFields(what),
      reason: what.isFull ? "enospc" : "",
    }),
  }),
  "block-job": kind("block-job", {
    procedure: 326,
    form: ofJob,
    make: (what, to) => ({ ...to, name: what.path, ...jobFields(what) }),
  }),
  "tray-change": kind("tray-change", {
    procedure: 328,
    form: ofTray,
    make: ({ device, isOpen }, to) => ({
      ...to,
      device,
      reason: isOpen ? TRAY.open : TRAY.close,
    }),
  }),
  "pm-wakeup": kind("pm-wakeup", { procedure: 329, form: ofPower, make: (_, to) => ({ ...to, reason: 0 }) }),
  "pm-suspend": kind("pm-suspend", {
    procedure: 330,
    form: ofPower,
    make: (_, to) => ({ ...to, reason: 0 }),
  }),
  "balloon-change": kind("balloon-change", {
    procedure: 331,
    form: ofBalloon,
    make: ({ bytes }, to) => ({
      ...to,
      actual: BigInt(Math.ceil(bytes / BYTES_PER_KIB)),
    }),
  }),
  "pm-suspend-disk": kind("pm-suspend-disk", {
    procedure: 332,
    form: ofPower,
    make: (_, to) => ({ ...to, reason: 0 }),
  }),
  "device-removed": kind("device-removed", { procedure: 333, form: ofDevice, make: aboutDevice }),
  "block-job-2": kind("block-job", {
    procedure: 339,
    form: ofJob,
    make: (what, to) => ({ ...to, name: what.disk, ...jobFields(what) }),
  }),
  "agent-lifecycle": kind("agent-lifecycle", {
    procedure: 348,
    form: ofAgent,
    make: ({ isConnected }, to) => ({
      ...to,
      state: isConnected ? AGENT.connected : AGENT.disconnected,
      reason: AGENT.byChannel,
    }),
  }),
  "device-added": kind("device-added", { procedure: 354, form: ofDevice, make: aboutDevice }),
  "disk-change": kind("disk-change", {
    procedure: 327,
    form: ofDisk,
    make: ({ device, isEmptied, path }, to) => ({
      ...to,
      before: path,
      after: undefined,
      device,
      reason: isEmptied ? DISK.emptied : DISK.dropped,
    }),
  }),
  tunable: kind("tunable", {
    procedure: 346,
    form: ofTuning,
    make: ({ parameters }, to) => ({ ...to, params: parameters.map(typed) }),
  }),
  "metadata-change": kind("metadata-change", {
    procedure: 379,
    form: ofMetadata,
    make: ({ type, uri }, to) => ({ ...to, type: METADATA[type], uri }),
  }),
  "memory-failure": kind("memory-failure", {
    procedure: 423,
    form: ofFailure,
    make: ({ action, isActionRequired, isRecursive, recipient }, to) => ({
      ...to,
      recipient: FAILURE.recipient[recipient],
      action: FAILURE.action[action],
      flags: (isActionRequired ? FAILURE.actionRequired : 0) + (isRecursive ? FAILURE.recursive : 0),
    }),
  }),
  "memory-device-size-change": kind("memory-device-size-change", {
    procedure: 438,
    form: ofSize,
    make: ({ bytes, device }, to) => ({ ...to, device, size: BigInt(Math.ceil(bytes / BYTES_PER_KIB)) }),
  }),
  "job-completed": kind("job-completed", {
    procedure: 363,
    form: ofStatistics,
    make: (what, to) => ({ ...to, params: [...statsOf(what)] }),
  }),
  "device-removal-failed": kind("device-removal-failed", {
    procedure: 367,
    form: ofDevice,
    make: aboutDevice,
  }),
};

/** Reports whether events of the kind are about running guests. */
export function isGuestKind(name: string): name is GuestEventKind {
  return Object.hasOwn(KINDS, name);
}

/**
 * Returns the message about an event for the registration with the ID; undefined if the event is of another
 * kind.
 */
export function guestMessage(
  name: GuestEventKind,
  callback: number,
  event: GuestEvent,
): EventMessage | undefined {
  const { encode, procedure } = KINDS[name];
  const payload = encode(callback, event);
  return payload === undefined ? undefined : { procedure, payload };
}

function kind<const Name extends What["report"], Value>(
  report: Name,
  message: {
    readonly procedure: number;
    readonly form: Form<Value>;
    make(what: ReportOf<Name>, to: To): Value;
  },
): Kind {
  return {
    procedure: message.procedure,
    encode(callback, event) {
      const { what } = event;
      if (!isReport(what, report)) return undefined;
      const payload: Uint8Array[] = [];
      message.form.encode(message.make(what, { callback, dom: remoteDomain(event) }), payload);
      return payload;
    },
  };
}

function ioErrorFields({ action, device, path }: ReportOf<"io-error">) {
  return { path, device, action: IO_ERROR[action] };
}

function jobFields({ status, type }: ReportOf<"block-job">) {
  return { type: JOB[type], status: STATUS[status] };
}

/** VIR_DOMAIN_TUNABLE_* of libvirt's libvirt-domain.h: only a quota may be negative. */
function typed({ field, value }: ReportOf<"tunable">["parameters"][number]): TypedParameter {
  if (typeof value === "string") return { field, value: { type: "string", value } };
  return { field, value: { type: field.endsWith("quota") ? "llong" : "ullong", value: BigInt(value) } };
}

function aboutDevice({ device }: { readonly device: string }, to: To) {
  return { ...to, device };
}
