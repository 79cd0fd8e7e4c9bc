import * as v from "valibot";
import type { QmpEvent } from "./qmp.ts";
import { deviceOf } from "./statistics.ts";

/** A compromised QEMU must not name numbers that messages to clients cannot have. */
const wholeNumber = v.pipe(v.number(), v.safeInteger());
const size = v.pipe(wholeNumber, v.minValue(0));
const family = v.picklist(["ipv4", "ipv6", "unix", "vsock", "unknown"]);
const side = v.object({
  host: v.string(),
  /** Port of VNC. */
  service: v.exactOptional(v.string()),
  /** Port of SPICE. */
  port: v.exactOptional(v.string()),
  family,
  auth: v.exactOptional(v.string()),
});
const viewers = v.object({ server: side, client: side });
type Side = v.InferOutput<typeof side>;

const address = v.strictObject({ family, node: v.string(), service: v.string() });

/** How a client's connection to a screen goes on. virDomainEventGraphicsPhase of libvirt */
const phase = v.picklist(["connect", "initialize", "disconnect"]);

/** QEMU's reactions to a watchdog that expires. qemu.git qapi/run-state.json WatchdogAction */
const watchdogAction = v.picklist(["reset", "shutdown", "poweroff", "pause", "debug", "none", "inject-nmi"]);

/** Reactions to an error of a disk. qemu.git qapi/block-core.json BlockErrorAction */
const errorAction = v.picklist(["ignore", "report", "stop"]);

/**
 * The recipient of a memory error, and the action. qemu.git qapi/run-state.json MemoryFailureRecipient,
 * MemoryFailureAction
 */
const failureRecipient = v.picklist(["hypervisor", "guest"]);
const failureAction = v.picklist(["ignore", "inject", "fatal", "reset"]);

/** Ends and other moments of a job on a disk's images. */
export const jobStatus = v.picklist(["ready", "completed", "failed", "cancelled"]);

/** Reports of QEMU about its guest that need no other facts, by libvirt's names of events. */
export const plainReports = [
  v.strictObject({ report: v.literal("reboot") }),
  /** Seconds between the guest's clock and its clock at the start. */
  v.strictObject({ report: v.literal("rtc-change"), offset: wholeNumber }),
  v.strictObject({ report: v.literal("watchdog"), action: watchdogAction }),
  v.strictObject({
    report: v.literal("graphics"),
    phase,
    local: address,
    remote: address,
    auth: v.string(),
  }),
  v.strictObject({ report: v.literal("balloon-change"), bytes: size }),
  v.strictObject({ report: v.literal("tray-change"), device: v.string(), isOpen: v.boolean() }),
  v.strictObject({ report: v.literal("pm-wakeup") }),
  v.strictObject({ report: v.literal("pm-suspend") }),
  v.strictObject({ report: v.literal("pm-suspend-disk") }),
  v.strictObject({ report: v.literal("panicked") }),
  /** The guest powers off. An end by the host is svirt's own, which its record shows. */
  v.strictObject({ report: v.literal("shutdown") }),
  v.strictObject({ report: v.literal("device-removal-failed"), device: v.string() }),
  /** The host has reported an error of the guest's memory to QEMU. */
  v.strictObject({
    report: v.literal("memory-failure"),
    recipient: failureRecipient,
    action: failureAction,
    isActionRequired: v.boolean(),
    isRecursive: v.boolean(),
  }),
  /** The guest has changed how much of a memory device it uses. */
  v.strictObject({ report: v.literal("memory-device-size-change"), device: v.string(), bytes: size }),
] as const;

/** An error of a disk. `device` is the alias of its device; `isFull` says that the storage has no room. */
export const ioError = v.strictObject({
  report: v.literal("io-error"),
  device: v.string(),
  action: errorAction,
  isFull: v.boolean(),
});

/** Something that QEMU says about its guest. Its word proves nothing: nothing is decided by it. */
export type QemuReport =
  | v.InferOutput<(typeof plainReports)[number]>
  | v.InferOutput<typeof ioError>
  /** The guest opens or closes a port. `device` is its alias. */
  | { readonly report: "port"; readonly device: string; readonly isOpen: boolean }
  | { readonly report: "block-job"; readonly job: string; readonly status: v.InferOutput<typeof jobStatus> };

type Parse = (facts: unknown) => QemuReport | undefined;

/** Reported events, by QEMU's names. qemu.git qapi/{run-state,ui,block-core,misc,machine,char,qdev}.json */
const PARSERS: Readonly<Record<string, Parse>> = {
  RESET: parsing(v.object({ guest: v.boolean() }), () => ({ report: "reboot" })),
  RTC_CHANGE: parsing(v.object({ offset: wholeNumber }), ({ offset }) => ({ report: "rtc-change", offset })),
  WATCHDOG: parsing(v.object({ action: watchdogAction }), ({ action }) => ({ report: "watchdog", action })),
  BLOCK_IO_ERROR: parsing(
    v.object({
      device: v.string(),
      "qom-path": v.exactOptional(v.string()),
      action: errorAction,
      nospace: v.exactOptional(v.boolean()),
    }),
    ({ action, device, nospace = false, "qom-path": path = device }) => ({
      report: "io-error",
      device: deviceOf(path),
      action,
      isFull: nospace,
    }),
  ),
  VNC_CONNECTED: viewing("connect"),
  VNC_INITIALIZED: viewing("initialize"),
  VNC_DISCONNECTED: viewing("disconnect"),
  SPICE_CONNECTED: viewing("connect"),
  SPICE_INITIALIZED: viewing("initialize"),
  SPICE_DISCONNECTED: viewing("disconnect"),
  BALLOON_CHANGE: parsing(v.object({ actual: size }), ({ actual }) => ({
    report: "balloon-change",
    bytes: actual,
  })),
  DEVICE_TRAY_MOVED: parsing(
    v.object({ device: v.string(), id: v.exactOptional(v.string()), "tray-open": v.boolean() }),
    ({ device, id = device, "tray-open": isOpen }) => ({
      report: "tray-change",
      device: deviceOf(id),
      isOpen,
    }),
  ),
  WAKEUP: () => ({ report: "pm-wakeup" }),
  SUSPEND: () => ({ report: "pm-suspend" }),
  SUSPEND_DISK: () => ({ report: "pm-suspend-disk" }),
  GUEST_PANICKED: () => ({ report: "panicked" }),
  SHUTDOWN: parsing(v.object({ guest: v.literal(true) }), () => ({ report: "shutdown" })),
  VSERPORT_CHANGE: parsing(v.object({ id: v.string(), open: v.boolean() }), ({ id, open }) => ({
    report: "port",
    device: id,
    isOpen: open,
  })),
  BLOCK_JOB_READY: ofJob(() => "ready"),
  BLOCK_JOB_COMPLETED: ofJob(({ error }) => (error === undefined ? "completed" : "failed")),
  BLOCK_JOB_CANCELLED: ofJob(() => "cancelled"),
  MEMORY_FAILURE: parsing(
    v.object({
      recipient: failureRecipient,
      action: failureAction,
      flags: v.object({ "action-required": v.boolean(), recursive: v.boolean() }),
    }),
    ({ action, flags, recipient }) => ({
      report: "memory-failure",
      recipient,
      action,
      isActionRequired: flags["action-required"],
      isRecursive: flags.recursive,
    }),
  ),
  MEMORY_DEVICE_SIZE_CHANGE: parsing(
    v.object({ id: v.exactOptional(v.string()), size }),
    ({ id, size: bytes }) =>
      id === undefined ? undefined : { report: "memory-device-size-change", device: id, bytes },
  ),
  DEVICE_UNPLUG_GUEST_ERROR: parsing(v.object({ device: v.exactOptional(v.string()) }), ({ device }) =>
    device === undefined ? undefined : { report: "device-removal-failed", device },
  ),
};

/**
 * Returns what an event of QEMU's monitor reports; undefined for an event of no interest, or that is not as
 * QEMU sends it.
 */
export function parseReport({ facts, name }: QmpEvent): QemuReport | undefined {
  return Object.hasOwn(PARSERS, name) ? PARSERS[name]?.(Object.fromEntries(facts)) : undefined;
}

function parsing<Facts>(
  form: v.GenericSchema<unknown, Facts>,
  use: (facts: Facts) => QemuReport | undefined,
): Parse {
  return (facts) => {
    const parsed = v.safeParse(form, facts);
    return parsed.success ? use(parsed.output) : undefined;
  };
}

function viewing(now: v.InferOutput<typeof phase>): Parse {
  return parsing(viewers, ({ client, server }) => ({
    report: "graphics",
    phase: now,
    local: addressOf(server),
    remote: addressOf(client),
    auth: server.auth ?? "",
  }));
}

function addressOf({ family: kind, host, port = "", service = port }: Side): v.InferOutput<typeof address> {
  return { family: kind, node: host, service };
}

function ofJob(statusOf: (facts: { readonly error?: string }) => v.InferOutput<typeof jobStatus>): Parse {
  return parsing(v.object({ device: v.string(), error: v.exactOptional(v.string()) }), (facts) => ({
    report: "block-job",
    job: facts.device,
    status: statusOf(facts),
  }));
}
