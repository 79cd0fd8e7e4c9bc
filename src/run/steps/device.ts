import { asSvirtError, type ErrorFacts, SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import type { Monitor } from "../../host/monitor.ts";
import type { DeviceStep } from "../../plan/steps/device.ts";
import type { StepOf } from "../../plan/steps/step.ts";
import { withMonitorSocket } from "../monitor/converse.ts";
import { CHANGE_TIMEOUT_MS } from "../monitor/qmp-time-limits.ts";
import { setMedium } from "./set-medium.ts";
import type { Runs } from "./step-effects.ts";

/** Time for a guest to release a device: QEMU_UNPLUG_TIMEOUT of libvirt's qemu_hotplug.c. */
const UNPLUG_TIMEOUT_MS = 5000;
/**
 * QEMU's errors for a missing node, device, object or set. qemu.git block.c, qdev-monitor.c, monitor/fds.c
 */
const NOT_THERE = /not found$|^Failed to find node/;
/**
 * QEMU's errors if the guest was asked before, on PCI Express. qemu.git system/qdev-monitor.c, hw/pci/pcie.c
 */
const ASKED_BEFORE = /already in the process of unplug|guest is busy/;

/** The guest was asked to release a device, and has kept it so far or has rejected that. */
export class UnplugError extends SvirtError {
  /** QEMU's name of the device. */
  readonly device: string;
  readonly outcome: "kept" | "rejected";

  constructor(
    message: string,
    facts: ErrorFacts & { readonly device: string; readonly outcome: UnplugError["outcome"] },
  ) {
    super(message, facts);
    this.device = facts.device;
    this.outcome = facts.outcome;
  }
}

/** Effects of the steps on devices of a running guest. */
export const runDevice: Runs<DeviceStep> = {
  plug: ({ host }, step) => plugIn(host, step),
  unplug: ({ host, releaseMs }, step) => unplug(host, step, releaseMs),
  "set-medium": ({ host }, step) => setMedium(host, step),
  "set-link": ({ host }, step) => setLink(host, step),
  "change-setting": ({ host }, step) => changeSetting(host, step),
  "set-memlock": ({ host }, step) => host.setMemlock(step.process, step.to),
};

/**
 * Passes files to a running QEMU and sends the commands that use them. Throws "failed" with QEMU's message.
 */
export async function plugIn(host: Host, step: StepOf<"plug">): Promise<void> {
  await withMonitorSocket(host, at(step), async (monitor) => {
    for (const file of step.files) await monitor.handOver(file);
    for (const peer of step.peers ?? []) await monitor.handPeer(peer);
    for (const command of step.commands) await monitor.execute(command.execute, command.arguments);
  });
}

/**
 * Asks the guest to release a device, waits for it, and removes the device's backends. A missing device or
 * backend is not an error. Throws UnplugError: "timeout" when the guest does not release the device in time,
 * "failed" when it rejects that.
 */
export async function unplug(
  host: Host,
  step: StepOf<"unplug">,
  releaseMs: number = UNPLUG_TIMEOUT_MS,
): Promise<void> {
  await withMonitorSocket(host, at(step), async (monitor) => {
    if (step.device !== undefined) await removeDevice(monitor, step.device, releaseMs);
    const wasThere: boolean[] = [];
    for (const { arguments: args, execute } of step.commands)
      wasThere.push(await removeIfThere(monitor, execute, args));
    for (const set of step.sets) await removeIfThere(monitor, "remove-fd", { "fdset-id": set });
    // A connection ends with the backend that uses it. QEMU still has its name only if a backend is missing.
    if (!wasThere.every(Boolean)) await forgetNames(monitor, step.peers ?? []);
  });
}

/** Reports whether QEMU still has a device, by its name in QEMU. The guest is not asked to release it. */
export async function isPlugged(
  host: Host,
  step: Pick<StepOf<"unplug">, "device" | "monitor">,
): Promise<boolean> {
  if (step.device === undefined) return false;
  const { device } = step;
  return await withMonitorSocket(host, at(step), (monitor) => hasDevice(monitor, device));
}

async function hasDevice(monitor: Monitor, device: string): Promise<boolean> {
  const found = await monitor.execute("qom-list", { path: "/machine/peripheral" });
  return Array.isArray(found) && found.some((one: { readonly name?: unknown }) => one.name === device);
}

/** Sets the link of a network card up or down. */
async function setLink(host: Host, step: StepOf<"set-link">): Promise<void> {
  await withMonitorSocket(host, at(step), (monitor) =>
    monitor.execute("set_link", { name: step.device, up: step.up }),
  );
}

/** Changes a setting of QEMU. Throws "failed" with QEMU's message. */
async function changeSetting(host: Host, step: StepOf<"change-setting">): Promise<void> {
  const { arguments: args, execute } = step.command;
  await withMonitorSocket(host, at(step), (monitor) => monitor.execute(execute, args));
}

async function forgetNames(monitor: Monitor, names: readonly string[]): Promise<void> {
  for (const name of names) await removeIfThere(monitor, "closefd", { fdname: name });
}

/** qemuDomainWaitForDeviceRemoval() of libvirt */
async function removeDevice(monitor: Monitor, device: string, releaseMs: number): Promise<void> {
  if (!(await removeIfThere(monitor, "device_del", { id: device }))) return;
  const end = await monitor.waitUntilDeleted(device, releaseMs);
  if (end === "deleted") return;
  if (end === "rejected") {
    throw new UnplugError("operation failed: unplug of device was rejected by the guest", {
      device,
      outcome: "rejected",
      kind: "failed",
      libvirt: "OPERATION_FAILED",
      remedy:
        "The guest's log may have the reason. Once the guest no longer uses the device, repeat the command.",
    });
  }
  // A report before this conversation is not seen.
  if (!(await hasDevice(monitor, device))) return;
  throw new UnplugError(
    `Cannot detach ${device}: the guest has not released it within ${releaseMs / 1000} s`,
    {
      device,
      outcome: "kept",
      kind: "timeout",
      remedy:
        "Wait: once the guest has released it, any command about the guest, or svirt recover, completes this. Until then the same command asks again.",
    },
  );
}

/** Has QEMU remove an object, and returns false if there was none. Throws "failed" with QEMU's message. */
export async function removeIfThere(
  monitor: Monitor,
  command: string,
  args: Readonly<Record<string, unknown>> | undefined,
): Promise<boolean> {
  try {
    await monitor.execute(command, args);
    return true;
  } catch (error) {
    const said = asSvirtError(error).message.replace(/^internal error: unable to execute QEMU command: /, "");
    if (command === "device_del" && ASKED_BEFORE.test(said)) return true;
    if (NOT_THERE.test(said)) return false;
    throw error;
  }
}

function at({ monitor }: { readonly monitor: string }): { monitor: string; timeoutMs: number } {
  return { monitor, timeoutMs: CHANGE_TIMEOUT_MS };
}
