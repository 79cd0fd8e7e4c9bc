import type { Controller } from "../../../domain/devices/controller.ts";
import { type Arguments, jsonArguments } from "../../argument/argument.ts";
import { controllerId, pciKeys } from "../../argument/bus-properties.ts";
import { virtioDriver, virtioKeys } from "../../argument/virtio-properties.ts";
import { iothreadKey, iothreadMappingKey } from "../../machine/iothreads.ts";
import { type ControllerOf, controllersOf, type Guest, pciPlace } from "../../model/guest.ts";

/** libvirt's order of controllers. Controllers on the board need no argument. */
const ORDER = ["pci", "usb", "scsi", "ide", "sata", "virtio-serial"] as const;

/** -global for the 64-bit PCI hole of the root bus. qemuBuildGlobalControllerCommandLine() */
export function formatPciHole({ devices, machine }: Guest): Arguments {
  const root = controllersOf(devices, "pci").find(({ index }) => index === 0);
  if (root?.pcihole64KiB === undefined) return [];
  const host = machine.chipset === "q35" ? "q35-pcihost" : "i440FX-pcihost";
  return ["-global", `${host}.pci-hole64-size=${root.pcihole64KiB}K`];
}

/** -device for each controller. qemuBuildControllersCommandLine() of libvirt */
export function formatControllers(guest: Guest): Arguments {
  return ORDER.flatMap((type) => {
    const found = controllersOf(guest.devices, type);
    const sorted = type === "pci" ? found.toSorted((a, b) => (a.index ?? 0) - (b.index ?? 0)) : found;
    return sorted.flatMap((controller) => formatController(guest, controller));
  });
}

/** -device for a controller; empty for a controller on the board. */
export function formatController(guest: Guest, controller: Controller): Arguments {
  const end = controller.address?.type === "usb" ? {} : pciKeys(guest, controller.address);
  const id = controllerId(guest, controller);
  switch (controller.type) {
    case "pci":
      return formatBridge(guest, controller);
    case "usb":
      return formatUsb(guest, controller);
    case "scsi":
      return jsonArguments("-device", { ...scsiKeys(controller, id), ...end });
    case "sata":
      return id === "ide" ? [] : jsonArguments("-device", { driver: "ahci", id, ...end });
    case "virtio-serial": {
      const { ports, vectors, model, driver: options } = controller;
      const driver = virtioDriver("virtio-serial", model);
      const keys = { driver, ...virtioKeys(options), id, max_ports: ports, vectors };
      return jsonArguments("-device", { ...keys, ...end });
    }
    case "ide":
    case "fdc":
    // A smartcard reader is a USB device, and follows the hubs.
    case "ccid":
      return [];
  }
}

const SCSI: ReadonlyMap<string, string> = new Map([
  ["lsilogic", "lsi"],
  ["lsisas1068", "mptsas1068"],
  ["lsisas1078", "megasas"],
  ["vmpvscsi", "pvscsi"],
  ["am53c974", "am53c974"],
  ["dc390", "dc-390"],
]);

/** Properties of a SCSI controller. qemuBuildControllerSCSIDevProps() of libvirt */
function scsiKeys({ model = "lsilogic", driver }: ControllerOf<"scsi">, id: string): object {
  const plain = SCSI.get(model);
  if (plain !== undefined) return { driver: plain, id };
  return {
    driver: virtioDriver("virtio-scsi", model === "virtio-scsi" ? "virtio" : model),
    ...virtioKeys(driver),
    ...iothreadKey(driver),
    id,
    num_queues: driver?.queues,
    cmd_per_lun: driver?.cmdPerLun,
    max_sectors: driver?.maxSectors,
    ioeventfd: driver?.ioeventfd,
    ...iothreadMappingKey(driver),
  };
}

function formatBridge(guest: Guest, controller: ControllerOf<"pci">): Arguments {
  const { model = "", index, target, modelName, address } = controller;
  const driver = modelName?.name;
  if (driver === undefined) return [];
  const { slot, function: fn } = pciPlace(address ?? { type: "pci" });
  const isPort = model === "pcie-root-port" || model === "pcie-switch-downstream-port";
  const port = target?.port ?? (model === "pcie-root-port" ? slot * 8 + fn : slot);
  return jsonArguments("-device", {
    driver,
    ...(isPort ? { port, chassis: target?.chassis ?? index } : {}),
    ...(model === "pci-bridge" ? { chassis_nr: target?.chassisNr ?? index, ...reserveKeys(controller) } : {}),
    bus_nr: target?.busNr,
    id: controllerId(guest, controller),
    numa_node: target?.node,
    ...(isPort ? { hotplug: target?.hotplug, ...reserveKeys(controller) } : {}),
    ...pciKeys(guest, address),
  });
}

function reserveKeys({ target }: ControllerOf<"pci">): object {
  return { "mem-reserve": target?.memReserveKiB === undefined ? undefined : target.memReserveKiB * 1024 };
}

const USB: ReadonlyMap<string, string> = new Map([
  ["piix3-uhci", "piix3-usb-uhci"],
  ["piix4-uhci", "piix4-usb-uhci"],
  ["ehci", "usb-ehci"],
  ["ich9-ehci1", "ich9-usb-ehci1"],
  ["ich9-uhci1", "ich9-usb-uhci1"],
  ["ich9-uhci2", "ich9-usb-uhci2"],
  ["ich9-uhci3", "ich9-usb-uhci3"],
  ["pci-ohci", "pci-ohci"],
  ["nec-xhci", "nec-usb-xhci"],
  ["qemu-xhci", "qemu-xhci"],
]);

function formatUsb(guest: Guest, controller: ControllerOf<"usb">): Arguments {
  const { model = "none", ports, master, address } = controller;
  const driver = USB.get(model);
  if (driver === undefined) return [];
  const id = controllerId(guest, controller);
  const first = controllersOf(guest.devices, "usb").find(
    (found) => found.index === controller.index && found.master === undefined,
  );
  const masterbus = `${first === undefined ? id : controllerId(guest, first)}.0`;
  const name = master === undefined ? { id } : { masterbus, firstport: master.startport };
  return jsonArguments("-device", { driver, p2: ports, p3: ports, ...name, ...pciKeys(guest, address) });
}
