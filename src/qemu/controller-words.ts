import type { Controller } from "../domain/controller.ts";
import { controllerId, pciKeys } from "./device-bus.ts";
import { type ControllerOf, controllersOf, type Guest, pciPlace } from "./guest.ts";
import { jsonWords, type Words } from "./words.ts";

/** The order in which the reference adds controllers; what is on the board is not added. */
const ORDER = ["pci", "usb", "scsi", "ide", "sata", "virtio-serial"] as const;

/** -device for each controller. qemuBuildControllersCommandLine() of libvirt */
export function formatControllers(guest: Guest): Words {
  return ORDER.flatMap((type) => {
    const found = controllersOf(guest.devices, type);
    const sorted = type === "pci" ? found.toSorted((a, b) => (a.index ?? 0) - (b.index ?? 0)) : found;
    return sorted.flatMap((controller) => formatController(guest, controller));
  });
}

function formatController(guest: Guest, controller: Controller): Words {
  const end = pciKeys(guest, controller.address);
  const id = controllerId(guest, controller);
  switch (controller.type) {
    case "pci":
      return formatBridge(guest, controller);
    case "usb":
      return formatUsb(guest, controller);
    case "scsi": {
      const driver = controller.model === "virtio-scsi" ? "virtio-scsi-pci" : "lsi";
      return jsonWords("-device", { driver, id, ...end });
    }
    case "sata":
      return id === "ide" ? [] : jsonWords("-device", { driver: "ahci", id, ...end });
    case "virtio-serial": {
      const { ports, vectors } = controller;
      return jsonWords("-device", { driver: "virtio-serial-pci", id, max_ports: ports, vectors, ...end });
    }
    case "ide":
    case "fdc":
      return [];
  }
}

const BRIDGES: ReadonlyMap<string, string> = new Map([
  ["pci-bridge", "pci-bridge"],
  ["dmi-to-pci-bridge", "i82801b11-bridge"],
  ["pcie-to-pci-bridge", "pcie-pci-bridge"],
  ["pcie-root-port", "pcie-root-port"],
  ["pcie-switch-upstream-port", "x3130-upstream"],
  ["pcie-switch-downstream-port", "xio3130-downstream"],
]);

function formatBridge(guest: Guest, controller: ControllerOf<"pci">): Words {
  const { model = "", index, target, modelName, address } = controller;
  const driver = modelName?.name ?? BRIDGES.get(model);
  if (driver === undefined) return [];
  const { slot, function: fn } = pciPlace(address ?? { type: "pci" });
  const isPort = model === "pcie-root-port" || model === "pcie-switch-downstream-port";
  const port = target?.port ?? (model === "pcie-root-port" ? slot * 8 + fn : slot);
  return jsonWords("-device", {
    driver,
    ...(isPort ? { port, chassis: target?.chassis ?? index } : {}),
    ...(model === "pci-bridge" ? { chassis_nr: target?.chassisNr ?? index } : {}),
    id: controllerId(guest, controller),
    ...(isPort ? { hotplug: target?.hotplug } : {}),
    ...pciKeys(guest, address),
  });
}

const USB: ReadonlyMap<string, string> = new Map([
  ["piix3-uhci", "piix3-usb-uhci"],
  ["piix4-uhci", "piix4-usb-uhci"],
  ["ehci", "usb-ehci"],
  ["ich9-ehci1", "ich9-usb-ehci1"],
  ["ich9-uhci1", "ich9-usb-uhci1"],
  ["ich9-uhci2", "ich9-usb-uhci2"],
  ["ich9-uhci3", "ich9-usb-uhci3"],
  ["nec-xhci", "nec-usb-xhci"],
  ["qemu-xhci", "qemu-xhci"],
]);

function formatUsb(guest: Guest, controller: ControllerOf<"usb">): Words {
  const { model = "none", ports, master, address } = controller;
  const driver = USB.get(model);
  if (driver === undefined) return [];
  const id = controllerId(guest, controller);
  const name = master === undefined ? { id } : { masterbus: `${id}.0`, firstport: master.startport };
  return jsonWords("-device", { driver, p2: ports, p3: ports, ...name, ...pciKeys(guest, address) });
}
