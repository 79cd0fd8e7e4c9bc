import { isVfioDriver, VFIO_PCI } from "../../domain/forms/vfio-driver.ts";
import { SvirtError } from "../../errors.ts";
import type { Step } from "../../plan/steps/step.ts";
import { canReset, isBridge } from "../../report/node-devices/pci.ts";
import { groupOf } from "../../resolve/files/vfio.ts";
import { refuseBusyDisks } from "../../resolve/host/busy-disks.ts";
import { refuseGuestDevices } from "../../resolve/host/guest-devices.ts";
import { refuseGuestNetwork } from "../../resolve/host/guest-network.ts";
import { refuseRoutedCard } from "../../resolve/host/routed-card.ts";
import { PCI_DEVICES } from "../../run/steps/pci.ts";
import { type Instance, isSession } from "../../state/instance.ts";
import { lastOf, listFunctions, listParts } from "../guest/changing-device.ts";
import { refuseOthers } from "../guest/refuse-others.ts";
import { carryOut } from "../object-change/carry-out.ts";
import type { Change } from "../object-change/change.ts";
import { refuseAbsentDriver, takeStep } from "./detach-from-host.ts";
import { lookUpDevice } from "./node-devices.ts";

/** Name by which clients ask for vfio-pci. */
const VFIO = "vfio";
/** Owner of no guest. */
const NO_GUEST = "";

/**
 * Takes a PCI device from its driver and binds it to one for guests. A device that is bound to it stays so.
 * An interrupted call is undone by the next one about the device, or svirt recover. Throws "not-found",
 * "unsupported"; "wrong-state" for a device that the host needs, "in-use" for a guest's, "denied" in a
 * session, "timeout" while a program keeps the kernel from changing the driver.
 */
export async function detachDevice(instance: Instance, name: string, driver?: string): Promise<void> {
  await carryOut(instance, deviceDetachment(instance, name, driver));
}

/** Returns the change of detachDevice(). Throws "not-found", "unsupported", "denied". */
export function deviceDetachment(instance: Instance, name: string, driver = VFIO): Change<undefined> {
  const to = driver === VFIO ? VFIO_PCI : driver;
  if (!isVfioDriver(to)) {
    throw new SvirtError(`Cannot detach ${name}: unsupported driver name '${driver}'`, {
      kind: "unsupported",
      libvirt: "CONFIG_UNSUPPORTED",
      remedy: "Name vfio, or a driver of the kernel for VFIO such as mlx5_vfio_pci.",
    });
  }
  return changing(instance, {
    name,
    verb: "detach",
    check(node, address) {
      refuseHostUse(node, address);
      refuseAbsentDriver(node.host, address, to);
      // "wrong-state" without an IOMMU.
      groupOf(node.host, `${PCI_DEVICES}/${address}`);
    },
    stepOf: ({ host }, address) => takeStep(host, address, to),
    commit: "end",
  });
}

/**
 * Returns a PCI device to the driver that the kernel chooses. An interrupted call is finished by the next
 * one. Throws as detachDevice().
 */
export async function reattachDevice(instance: Instance, name: string): Promise<void> {
  await carryOut(instance, deviceReturn(instance, name));
}

/** Returns the change of reattachDevice(). Throws as deviceDetachment(). */
export function deviceReturn(instance: Instance, name: string): Change<undefined> {
  return changing(instance, {
    name,
    verb: "re-attach",
    check: () => undefined,
    stepOf: (_, device) => ({ do: "release-device", device }),
    commit: "begin",
  });
}

/**
 * Resets a PCI device by the kernel. Throws as detachDevice(), "unsupported" if the kernel has no way to
 * reset it.
 */
export async function resetDevice(instance: Instance, name: string): Promise<void> {
  await carryOut(instance, deviceReset(instance, name));
}

/** Returns the change of resetDevice(). Throws as deviceDetachment(). */
export function deviceReset(instance: Instance, name: string): Change<undefined> {
  return changing(instance, {
    name,
    verb: "reset",
    check(node, address) {
      refuseHostUse(node, address);
      if (canReset(node.host, `${PCI_DEVICES}/${address}`)) return;
      throw new SvirtError(`Unable to reset PCI device ${address}: the kernel has no way to reset it`, {
        kind: "unsupported",
        libvirt: "INTERNAL_ERROR",
        from: "NONE",
        remedy: "Restart the host to reset it.",
      });
    },
    stepOf: (_, device) => ({ do: "reset-device", device }),
    commit: "begin",
  });
}

type Verb = "detach" | "re-attach" | "reset";

/** Change of a device of the host. */
interface DeviceChange {
  readonly name: string;
  readonly verb: Verb;
  check(instance: Instance, address: string): void;
  stepOf(instance: Instance, address: string): Step;
  readonly commit: "begin" | "end";
}

const COMMANDS: Readonly<Record<Verb, string>> = {
  detach: "nodedev-detach",
  "re-attach": "nodedev-reattach",
  reset: "nodedev-reset",
};

/**
 * Returns the change of a PCI device that no guest has. The device's lock keeps guests off meanwhile:
 * refuseChanging(). The kernel ends it if svirt is killed.
 */
function changing(
  instance: Instance,
  { check, commit, name, stepOf, verb }: DeviceChange,
): Change<undefined> {
  const { path = "", type } = lookUpDevice(instance, name);
  if (type !== "pci") throw notPci(name);
  if (isSession(instance)) {
    throw new SvirtError(`Cannot ${verb} ${name}: changing devices of the host requires root`, {
      kind: "denied",
      remedy: "Have root do it.",
    });
  }
  if (isBridge(instance.host, path)) throw isABridge(name, verb);
  const key = lastOf(path);
  return {
    kind: "node-device",
    key,
    plansUnder: "registry",
    plan(node) {
      for (const part of listParts(node.host, path)) refuseOthers(node, part, NO_GUEST);
      check(node, key);
      const object = { kind: "node-device", key } as const;
      const steps = [stepOf(node, key)];
      return { change: { object, what: `${COMMANDS[verb]} ${name}`, steps, commit }, result: undefined };
    },
  };
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

/**
 * Refuses a device that the host needs, or whose virtual functions it needs: they end with the driver of the
 * device.
 */
function refuseHostUse(instance: Instance, address: string): void {
  for (const path of listFunctions(instance.host, `${PCI_DEVICES}/${address}`)) {
    refuseBusyDisks(instance, lastOf(path));
    refuseGuestDevices(instance, lastOf(path));
    refuseGuestNetwork(instance, lastOf(path));
    refuseRoutedCard(instance.host, lastOf(path));
  }
}
