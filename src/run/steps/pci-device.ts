import { SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import type { PciStep } from "../../plan/steps/pci.ts";

/** The driver that keeps a PCI device for whoever opens its group. Documentation/driver-api/vfio.rst of Linux */
export const FOR_GUESTS = "vfio-pci";
const BUS = "/sys/bus/pci";
/** Where sysfs shows each of them. */
export const PCI_DEVICES = `${BUS}/devices`;
/** What driver_override says where the kernel chooses. linux drivers/pci/pci-sysfs.c driver_override_show() */
const NO_OVERRIDE = "(null)";
/** What takes the kernel's choice of a driver back. Documentation/ABI/testing/sysfs-bus-pci */
const ANY_DRIVER = "\n";
/** While there are events that udevd has not carried out. systemd.git src/udev/udev-manager.c */
const UDEV_QUEUE = "/run/udev/queue";
const UDEV_MS = 5000;
const POLL_MS = 20;

/** The driver that has a PCI device; undefined when none has. */
export function driverOf(host: Host, device: string): string | undefined {
  return host.inspectFile(`${folderOf(device)}/driver`)?.id.path.replace(/^.*\//, "");
}

/**
 * Takes a device from its driver and gives it to vfio-pci: what is done already is fine. Throws "failed" when vfio-pci
 * does not take it. Documentation/ABI/testing/sysfs-bus-pci, driver_override
 */
export async function takeDevice(host: Host, { device }: Pick<PciStep, "device">): Promise<void> {
  host.writeControl(`${folderOf(device)}/driver_override`, FOR_GUESTS);
  const driver = driverOf(host, device);
  if (driver !== undefined && driver !== FOR_GUESTS) unbind(host, device);
  if (driver !== FOR_GUESTS) host.writeControl(`${BUS}/drivers_probe`, device);
  const now = driverOf(host, device);
  if (now !== FOR_GUESTS) {
    throw new SvirtError(
      `Cannot take ${device} from its driver: ${now ?? "no driver"} has it, not vfio-pci`,
      {
        kind: "failed",
        remedy: "See what the kernel says: dmesg",
      },
    );
  }
  await waitForUdev(host);
}

/**
 * Gives a device back to the driver that it had, as far as it is still there and as svirt left it. Throws "failed" when
 * vfio-pci does not let go.
 */
export function giveDevice(host: Host, { bootId, device, driver, override }: PciStep): void {
  if (host.getBootId() !== bootId || host.inspectFile(folderOf(device)) === undefined) return;
  if (overrideOf(host, device) !== override)
    host.writeControl(`${folderOf(device)}/driver_override`, override ?? ANY_DRIVER);
  if (driverOf(host, device) === FOR_GUESTS) unbind(host, device);
  if (driver === undefined || driverOf(host, device) !== undefined) return;
  host.writeControl(`${BUS}/drivers_probe`, device);
}

/** The only driver that a device is to have; undefined: any. */
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

/** The group has a new node: udevd labels it first, and svirt then. */
async function waitForUdev(host: Host): Promise<void> {
  const until = host.nowMs() + UDEV_MS;
  while (host.nowMs() < until && host.inspectFile(UDEV_QUEUE) !== undefined) await host.sleep(POLL_MS);
}
