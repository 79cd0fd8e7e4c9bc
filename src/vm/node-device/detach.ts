import { isVfioDriver, VFIO_PCI } from "../../domain/forms/vfio-driver.ts";
import { asSvirtError, errorsOfWork, joinErrors, SvirtError } from "../../errors.ts";
import { canReset, isBridge } from "../../report/node-devices/pci.ts";
import { groupOf } from "../../resolve/files/vfio.ts";
import { refuseBusyDisks } from "../../resolve/host/busy-disks.ts";
import { refuseGuestDevices } from "../../resolve/host/guest-devices.ts";
import { refuseGuestNetwork } from "../../resolve/host/guest-network.ts";
import { refuseRoutedCard } from "../../resolve/host/routed-card.ts";
import { bindVfio, PCI_DEVICES, releaseDevice, resetByKernel } from "../../run/steps/pci.ts";
import { type Instance, isSession } from "../../state/instance.ts";
import { withPciLock, withRegistryLock } from "../../state/locks.ts";
import { lastOf, listFunctions, listParts } from "../guest/changing-device.ts";
import { refuseAbsentDriver, refuseOthers } from "./detach-from-host.ts";
import { lookUpDevice } from "./node-devices.ts";

/** Name by which clients ask for vfio-pci. */
const VFIO = "vfio";
/** Owner of no guest. */
const NO_GUEST = "";

/**
 * Takes a PCI device from its driver and binds it to one for guests. A device that is bound to it stays so. If the call is interrupted, the same
 * call finishes it, and reattachDevice() undoes it. Throws "not-found", "unsupported"; "wrong-state" for a device that the host needs,
 * "in-use" for a guest's, "denied" in a session, "timeout" while a program keeps the kernel from changing the driver.
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
  const { host } = instance;
  await changing(instance, {
    name,
    verb: "detach",
    check(address) {
      refuseHostUse(instance, address);
      refuseAbsentDriver(host, address, to);
      // "wrong-state" without an IOMMU.
      groupOf(host, `${PCI_DEVICES}/${address}`);
    },
    async change(address) {
      try {
        await bindVfio(host, { device: address, to });
      } catch (error) {
        // The kernel would keep this waiting, too.
        if (asSvirtError(error).kind === "timeout") throw error;
        throw joinErrors(error, await errorsOfWork(async () => await releaseDevice(host, address)));
      }
    },
  });
}

/** Returns a PCI device to the driver that the kernel chooses. Throws as detachDevice(). */
export async function reattachDevice(instance: Instance, name: string): Promise<void> {
  await changing(instance, {
    name,
    verb: "re-attach",
    check: () => undefined,
    change: async (address) => await releaseDevice(instance.host, address),
  });
}

/** Resets a PCI device by the kernel. Throws as detachDevice(), "unsupported" if the kernel has no way to reset it. */
export async function resetDevice(instance: Instance, name: string): Promise<void> {
  const { host } = instance;
  await changing(instance, {
    name,
    verb: "reset",
    check(address) {
      refuseHostUse(instance, address);
      if (canReset(host, `${PCI_DEVICES}/${address}`)) return;
      throw new SvirtError(`Unable to reset PCI device ${address}: the kernel has no way to reset it`, {
        kind: "unsupported",
        libvirt: "INTERNAL_ERROR",
        from: "NONE",
        remedy: "Restart the host to reset it.",
      });
    },
    change: async (address) => await resetByKernel(host, address),
  });
}

type Verb = "detach" | "re-attach" | "reset";

/** Change of a device of the host. `check` runs under the registry's lock, `change` without it. */
interface DeviceChange {
  readonly name: string;
  readonly verb: Verb;
  check(address: string): void;
  change(address: string): Promise<void>;
}

/**
 * Carries out a change of a PCI device that no guest has. The device's lock keeps guests off meanwhile: refuseChanging(). The kernel ends it if svirt is
 * killed.
 */
async function changing(instance: Instance, { change, check, name, verb }: DeviceChange): Promise<void> {
  const { path = "", type } = lookUpDevice(instance, name);
  if (type !== "pci") throw notPci(name);
  if (isSession(instance)) {
    throw new SvirtError(`Cannot ${verb} ${name}: changing devices of the host requires root`, {
      kind: "denied",
      remedy: "Have root do it.",
    });
  }
  if (isBridge(instance.host, path)) throw isABridge(name, verb);
  const address = lastOf(path);
  await withPciLock(instance, address, async () => {
    await withRegistryLock(instance, async () => {
      for (const part of listParts(instance.host, path)) refuseOthers(instance, part, NO_GUEST);
      check(address);
    });
    await change(address);
  });
}

/** virDomainDriverNodeDeviceGetPCIInfo() of libvirt */
function notPci(name: string): SvirtError {
  return new SvirtError(`invalid argument: device ${name} is not a PCI device`, {
    kind: "unsupported",
    libvirt: "INVALID_ARG",
    from: "DOMAIN",
    remedy: "Name one: svirt nodedev-list --cap pci",
  });
}

/** virPCIDeviceReset() of libvirt refuses one. libvirt binds one, and the kernel refuses then. */
function isABridge(name: string, verb: Verb): SvirtError {
  return new SvirtError(`Cannot ${verb} ${name}: it is a bridge to other devices`, {
    kind: "unsupported",
    ...(verb === "reset" ? ({ libvirt: "INTERNAL_ERROR", from: "NONE" } as const) : {}),
    remedy: "Name a device behind it: svirt nodedev-list --tree",
  });
}

/** Refuses a device that the host needs, or whose virtual functions it needs: they end with the driver of the device. */
function refuseHostUse(instance: Instance, address: string): void {
  for (const path of listFunctions(instance.host, `${PCI_DEVICES}/${address}`)) {
    refuseBusyDisks(instance, lastOf(path));
    refuseGuestDevices(instance, lastOf(path));
    refuseGuestNetwork(instance, lastOf(path));
    refuseRoutedCard(instance.host, lastOf(path));
  }
}
