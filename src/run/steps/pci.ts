import { isVfioDriver, VFIO_PCI } from "../../domain/forms/vfio-driver.ts";
import { SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import type { PciStep } from "../../plan/steps/pci.ts";
import type { Runs } from "./runs.ts";

const BUS = "/sys/bus/pci";
/** Folder of all PCI devices in sysfs. */
export const PCI_DEVICES = `${BUS}/devices`;
/** Content of driver_override if the kernel chooses the driver. linux drivers/pci/pci-sysfs.c driver_override_show() */
const NO_OVERRIDE = "(null)";
/** Value that resets driver_override. Documentation/ABI/testing/sysfs-bus-pci */
const ANY_DRIVER = "\n";
/** Exists while udevd has events in its queue. systemd.git src/udev/udev-manager.c */
const UDEV_QUEUE = "/run/udev/queue";
const UDEV_MS = 5000;
const POLL_MS = 20;

/** Effects of the steps on PCI devices. */
export const runPci: Runs<PciStep> = {
  "bind-vfio": ({ host }, step) => bindVfio(host, step),
  "rebind-driver": ({ host }, step) => giveDevice(host, step),
};

/** Returns the driver of a PCI device; undefined if it has none. */
export function driverOf(host: Host, device: string): string | undefined {
  return host.inspectFile(`${folderOf(device)}/driver`)?.id.path.replace(/^.*\//, "");
}

/**
 * Unbinds a device from its driver and binds it to one for guests. A device that is already bound is not an error. Throws
 * "failed" when that driver does not accept it. Documentation/ABI/testing/sysfs-bus-pci, driver_override
 */
export async function bindVfio(
  host: Host,
  { device, to = VFIO_PCI }: Pick<PciStep, "device" | "to">,
): Promise<void> {
  host.writeControl(`${folderOf(device)}/driver_override`, to);
  const driver = driverOf(host, device);
  if (driver !== undefined && driver !== to) unbind(host, device);
  if (driver !== to) host.writeControl(`${BUS}/drivers_probe`, device);
  const now = driverOf(host, device);
  if (now !== to) {
    throw new SvirtError(`Cannot bind ${device} to ${to}: its driver is ${now ?? "none"}`, {
      kind: "failed",
      remedy: "See the kernel's messages: dmesg",
    });
  }
  await waitForUdev(host);
}

/**
 * Binds a device to its former driver again, if the device still exists in the same boot. A device that another driver
 * has stays there. Throws "host-call" when the kernel refuses a change.
 */
function giveDevice(host: Host, { bootId, device, driver, override, to = VFIO_PCI }: PciStep): void {
  if (host.getBootId() !== bootId || host.inspectFile(folderOf(device)) === undefined) return;
  if (overrideOf(host, device) !== override)
    host.writeControl(`${folderOf(device)}/driver_override`, override ?? ANY_DRIVER);
  if (driverOf(host, device) === to) unbind(host, device);
  if (driver === undefined || driverOf(host, device) !== undefined) return;
  host.writeControl(`${BUS}/drivers_probe`, device);
}

/** Returns a device from a driver for guests to the driver that the kernel chooses. Another driver keeps it. Throws "host-call". */
export function releaseDevice(host: Host, device: string): void {
  if (overrideOf(host, device) !== undefined)
    host.writeControl(`${folderOf(device)}/driver_override`, ANY_DRIVER);
  const driver = driverOf(host, device);
  if (driver !== undefined && !isVfioDriver(driver)) return;
  if (driver !== undefined) unbind(host, device);
  host.writeControl(`${BUS}/drivers_probe`, device);
}

/** Returns the only driver that a device may have; undefined: any. */
export function overrideOf(host: Host, device: string): string | undefined {
  const text = host.readText(`${folderOf(device)}/driver_override`)?.trim();
  return text === NO_OVERRIDE ? undefined : text;
}

function unbind(host: Host, device: string): void {
  host.writeControl(`${folderOf(device)}/driver/unbind`, device);
}

function folderOf(device: string): string {
  return `${PCI_DEVICES}/${device}`;
}

/** Waits until udevd has labelled the new node of the group, so that svirt's label comes after it. */
async function waitForUdev(host: Host): Promise<void> {
  const until = host.nowMs() + UDEV_MS;
  while (host.nowMs() < until && host.inspectFile(UDEV_QUEUE) !== undefined) await host.sleep(POLL_MS);
}
