import { isVfioDriver, VFIO_PCI } from "../../domain/forms/vfio-driver.ts";
import { asSvirtError, SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import type { ControlWrite } from "../../host/processes.ts";
import { deviceProcessLock, SYSTEM_PATHS } from "../../plan/paths.ts";
import type { DriverStep, PciStep } from "../../plan/steps/pci.ts";
import type { Runs } from "./step-effects.ts";

const BUS = "/sys/bus/pci";
/** Folder of all PCI devices in sysfs. */
export const PCI_DEVICES = `${BUS}/devices`;
/**
 * Content of driver_override if the kernel chooses the driver. linux drivers/pci/pci-sysfs.c
 * driver_override_show()
 */
const NO_OVERRIDE = "(null)";
/** Value for a reset of driver_override. Documentation/ABI/testing/sysfs-bus-pci */
const ANY_DRIVER = "\n";
/** Exists while udevd has events in its queue. systemd.git src/udev/udev-manager.c */
const UDEV_QUEUE = "/run/udev/queue";
const UDEV_MS = 5000;
/**
 * Time for the kernel to change a device's driver. vfio-pci and large network cards take seconds without a
 * fault.
 */
const CHANGE_MS = 30_000;
/** Time for the kernel to read a file of a device that it does not change. */
const READ_MS = 2000;
const POLL_MS = 20;

/** Effects of the steps on PCI devices. */
export const runPci: Runs<PciStep> = {
  "bind-vfio": ({ host }, step) => bindVfio(host, step),
  "rebind-driver": ({ host }, step) => giveDevice(host, step),
  "release-device": ({ host }, { device }) => releaseDevice(host, device),
  "reset-device": ({ host }, { device }) => resetByKernel(host, device),
};

/** Returns the driver of a PCI device; undefined if it has none. */
export function driverOf(host: Host, device: string): string | undefined {
  return host.inspectFile(`${folderOf(device)}/driver`)?.id.path.replace(/^.*\//, "");
}

/**
 * Unbinds a device from its driver and binds it to a guests' driver. An already bound device is not an error.
 * Throws "failed" when the driver does not accept it, "timeout" if the kernel waits for a program with the
 * device. The caller does not hold the registry's lock. Documentation/ABI/testing/sysfs-bus-pci,
 * driver_override
 */
async function bindVfio(
  host: Host,
  { device, to = VFIO_PCI }: Pick<DriverStep, "device" | "to">,
): Promise<void> {
  const attempt = `bind ${device} to ${to}`;
  const driver = driverOf(host, device);
  await change(host, { device, attempt }, [
    allowOnly(device, to),
    ...(driver === undefined || driver === to ? [] : [unbind(device)]),
    ...(driver === to ? [] : [probe(device)]),
  ]);
  const now = driverOf(host, device);
  if (now !== to) {
    throw new SvirtError(`Cannot ${attempt}: its driver is ${now ?? "none"}`, {
      kind: "failed",
      remedy: "See the kernel's messages: dmesg",
    });
  }
  await waitForUdev(host);
}

/**
 * Binds a device to its former driver again, if the device still exists in the same boot. A device that
 * another driver has stays there. Throws "host-call" when the kernel refuses a change, "timeout" as
 * bindVfio().
 */
async function giveDevice(
  host: Host,
  { bootId, device, driver, override, to = VFIO_PCI }: DriverStep,
): Promise<void> {
  if (host.getBootId() !== bootId || host.inspectFile(folderOf(device)) === undefined) return;
  const now = driverOf(host, device);
  const isFree = now === undefined || now === to;
  await change(host, { device, attempt: `return ${device} to the host` }, [
    allowOnly(device, override ?? ANY_DRIVER),
    ...(now === to ? [unbind(device)] : []),
    ...(isFree && driver !== undefined ? [probe(device)] : []),
  ]);
}

/**
 * Returns a device from a driver for guests to the driver that the kernel chooses. Another driver keeps it.
 * Throws "host-call", "timeout" as bindVfio().
 */
async function releaseDevice(host: Host, device: string): Promise<void> {
  const driver = driverOf(host, device);
  const isKept = driver !== undefined && !isVfioDriver(driver);
  await change(host, { device, attempt: `return ${device} to the host` }, [
    allowOnly(device, ANY_DRIVER),
    ...(driver === undefined || isKept ? [] : [unbind(device)]),
    ...(isKept ? [] : [probe(device)]),
  ]);
}

/** Resets a device by the kernel. Throws as releaseDevice(). */
async function resetByKernel(host: Host, device: string): Promise<void> {
  const reset = { path: `${folderOf(device)}/reset`, value: "1" };
  await change(host, { device, attempt: `reset ${device}` }, [reset]);
}

/**
 * Throws "timeout" for a device in a change by the kernel. The caller holds no lock awaited by other
 * commands.
 */
export async function refuseHung(host: Host, device: string, attempt: string): Promise<void> {
  // A driver that probes, or a reset, keeps the kernel's lock of the device too, and the link to the driver
  // is there meanwhile.
  if (host.inspectFile(overrideFile(device)) === undefined) return;
  refuseWaiting(host, { device, attempt });
  const isReadable = await host.isReadable(overrideFile(device), READ_MS, lockOf(device));
  if (!isReadable) throw hung({ device, attempt }, READ_MS);
}

/** Returns the only permitted driver of a device; undefined: any. */
export function overrideOf(host: Host, device: string): string | undefined {
  const text = host.readText(overrideFile(device))?.trim();
  return text === NO_OVERRIDE ? undefined : text;
}

/** Change of a device's driver, for messages. */
interface Change {
  readonly device: string;
  readonly attempt: string;
}

/**
 * Carries out writes to a device. Whatever program uses the device, the kernel unbinds its driver only once
 * that program has closed it, and until then nothing else may change the device. vfio_unregister_group_dev(),
 * device_lock() of Linux
 */
async function change(host: Host, changed: Change, writes: readonly ControlWrite[]): Promise<void> {
  refuseWaiting(host, changed);
  const begin = host.nowMs();
  try {
    await host.writeControls(writes, CHANGE_MS, lockOf(changed.device));
  } catch (error) {
    const waitedMs = host.nowMs() - begin;
    // Without any time the kernel was not asked.
    throw asSvirtError(error).kind === "timeout" && waitedMs > 0 ? hung(changed, waitedMs, error) : error;
  }
}

/**
 * Throws "timeout" if the kernel still waits in a process of an earlier command. Another would wait with it,
 * and no signal ends either.
 */
function refuseWaiting(host: Host, { attempt, device }: Change): void {
  const pid = host.findWaiting(lockOf(device));
  if (pid === undefined) return;
  throw new SvirtError(`Cannot ${attempt}: a process of svirt (${pid}) still waits for this device`, {
    kind: "timeout",
    remedy: remedyFor(device),
  });
}

/** Only root changes devices, so there is a single folder of locks. */
function lockOf(device: string): string {
  return deviceProcessLock(SYSTEM_PATHS, device);
}

function hung({ attempt, device }: Change, waitedMs: number, cause?: unknown): SvirtError {
  return new SvirtError(
    `Cannot ${attempt}: the kernel has not finished within ${Math.round(waitedMs / 1000)} seconds; a program still uses the device`,
    {
      kind: "timeout",
      remedy: remedyFor(device),
      cause,
    },
  );
}

function remedyFor(device: string): string {
  return `End the programs that use ${device} (dmesg names the driver that waits; fuser -v /dev/vfio/* lists those of VFIO), then repeat the command.`;
}

function allowOnly(device: string, driver: string): ControlWrite {
  return { path: overrideFile(device), value: driver };
}

function unbind(device: string): ControlWrite {
  return { path: `${folderOf(device)}/driver/unbind`, value: device };
}

function probe(device: string): ControlWrite {
  return { path: `${BUS}/drivers_probe`, value: device };
}

function overrideFile(device: string): string {
  return `${folderOf(device)}/driver_override`;
}

function folderOf(device: string): string {
  return `${PCI_DEVICES}/${device}`;
}

/** Waits until udevd has labelled the new node of the group, so that svirt's label comes after it. */
async function waitForUdev(host: Host): Promise<void> {
  const until = host.nowMs() + UDEV_MS;
  while (host.nowMs() < until && host.inspectFile(UDEV_QUEUE) !== undefined) await host.sleep(POLL_MS);
}
