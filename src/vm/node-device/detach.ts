import { uuidOf } from "../../domain/forms/uuid.ts";
import { isVfioDriver, VFIO_PCI } from "../../domain/forms/vfio-driver.ts";
import { errorsOf, joinErrors, SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import { canReset, isBridge } from "../../report/node-devices/pci.ts";
import { groupOf } from "../../resolve/files/vfio.ts";
import { refuseBusyDisks } from "../../resolve/host/busy-disks.ts";
import { refuseGuestDevices } from "../../resolve/host/guest-devices.ts";
import { refuseRoutedCard } from "../../resolve/host/routed-card.ts";
import { bindVfio, PCI_DEVICES, releaseDevice } from "../../run/steps/pci.ts";
import { type Instance, isSession } from "../../state/instance.ts";
import { withRegistryLock } from "../../state/locks.ts";
import { refuseAbsentDriver, refuseOthers } from "../start/detach-from-host.ts";
import { lookUpDevice } from "./node-devices.ts";

/** Name by which clients ask for vfio-pci. */
const VFIO = "vfio";
/** Owner of no guest. */
const NO_GUEST = "";

/**
 * Takes a PCI device from its driver and binds it to one for guests. A device that is bound to it stays so. If the call is interrupted, the same
 * call finishes it, and reattachDevice() undoes it. Throws "not-found", "unsupported"; "wrong-state" for a device that the host needs,
 * "in-use" for a guest's, "denied" in a session.
 */
export async function detachDevice(instance: Instance, name: string, driver = VFIO): Promise<void> {
  const to = driver === VFIO ? VFIO_PCI : driver;
  if (!isVfioDriver(to)) {
    throw new SvirtError(`Cannot detach ${name}: unsupported driver name '${driver}'`, {
      kind: "unsupported",
      libvirt: "CONFIG_UNSUPPORTED",
      remedy: "Name vfio, or a driver of the kernel for VFIO such as mlx5_vfio_pci.",
    });
  }
  await changing(instance, { name, verb: "detach" }, async (address) => {
    const { host } = instance;
    refuseHostUse(instance, address);
    refuseAbsentDriver(host, address, to);
    // "wrong-state" without an IOMMU.
    groupOf(host, `${PCI_DEVICES}/${address}`);
    try {
      await bindVfio(host, { device: address, to });
    } catch (error) {
      throw joinErrors(
        error,
        errorsOf(() => releaseDevice(host, address)),
      );
    }
  });
}

/** Returns a PCI device to the driver that the kernel chooses. Throws as detachDevice(). */
export async function reattachDevice(instance: Instance, name: string): Promise<void> {
  await changing(instance, { name, verb: "re-attach" }, (address) => releaseDevice(instance.host, address));
}

/** Resets a PCI device by the kernel. Throws as detachDevice(), "unsupported" if the kernel has no way to reset it. */
export async function resetDevice(instance: Instance, name: string): Promise<void> {
  await changing(instance, { name, verb: "reset" }, (address) => {
    const { host } = instance;
    const path = `${PCI_DEVICES}/${address}`;
    refuseHostUse(instance, address);
    if (!canReset(host, path)) {
      throw new SvirtError(`Unable to reset PCI device ${address}: the kernel has no way to reset it`, {
        kind: "unsupported",
        libvirt: "INTERNAL_ERROR",
        remedy: "Restart the host to reset it.",
      });
    }
    host.writeControl(`${path}/reset`, "1");
  });
}

/** Carries out a change of a PCI device that no guest has. Starts of guests wait meanwhile. */
async function changing(
  instance: Instance,
  { name, verb }: { readonly name: string; readonly verb: "detach" | "re-attach" | "reset" },
  change: (address: string) => void | Promise<void>,
): Promise<void> {
  const { path = "", type } = lookUpDevice(instance, name);
  const refuse = (why: string, remedy: string, kind: "unsupported" | "denied"): never => {
    throw new SvirtError(`Cannot ${verb} ${name}: ${why}`, { kind, remedy });
  };
  if (type !== "pci")
    refuse("it is not a PCI device", "Name one: svirt nodedev-list --cap pci", "unsupported");
  if (isSession(instance)) refuse("changing devices of the host requires root", "Have root do it.", "denied");
  if (isBridge(instance.host, path))
    refuse(
      "it is a bridge to other devices",
      "Name a device behind it: svirt nodedev-list --tree",
      "unsupported",
    );
  await withRegistryLock(instance, async () => {
    for (const each of listFunctions(instance.host, path).flatMap((one) => [
      one,
      ...listMediated(instance.host, one),
    ])) {
      const group = instance.host.inspectFile(`${each}/iommu_group`)?.id.path;
      refuseOthers(instance, { name: addressOf(each), group: group && addressOf(group) }, NO_GUEST);
    }
    await change(addressOf(path));
  });
}

/** Lists a device and its virtual functions. Documentation/PCI/pci-iov-howto.rst of Linux */
function listFunctions(host: Host, path: string): readonly string[] {
  const links = host.listFolder(path).filter((name) => /^virtfn\d+$/.test(name));
  return [path, ...links.flatMap((name) => host.inspectFile(`${path}/${name}`)?.id.path ?? [])];
}

/** Lists the mediated devices of a device, which are folders in its own. Documentation/driver-api/vfio-mediated-device.rst of Linux */
function listMediated(host: Host, path: string): readonly string[] {
  return host.listFolder(path).flatMap((name) => (uuidOf(name) === name ? [`${path}/${name}`] : []));
}

function addressOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Refuses a device that the host needs, or whose virtual functions it needs: they end with the driver of the device. */
function refuseHostUse(instance: Instance, address: string): void {
  for (const path of listFunctions(instance.host, `${PCI_DEVICES}/${address}`)) {
    refuseBusyDisks(instance, addressOf(path));
    refuseGuestDevices(instance, addressOf(path));
    refuseRoutedCard(instance.host, addressOf(path));
  }
}
