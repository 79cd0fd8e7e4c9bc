import type { Controller } from "../../../domain/devices/controller.ts";
import type { HostDevice } from "../../../domain/devices/hostdev.ts";
import type { NetworkInterface } from "../../../domain/devices/network/interface.ts";
import type { Video } from "../../../domain/devices/video.ts";
import type { Connection } from "./buses.ts";

/**
 * Returns the kind of slot for a controller; undefined if it is not a PCI device.
 * qemuDomainDeviceCalculatePCIConnectFlags()
 */
export function controllerConnection(controller: Controller): Connection | undefined {
  switch (controller.type) {
    case "pci":
      return bridgeConnection(controller.model);
    case "usb":
      if (controller.model === "none") return undefined;
      return controller.model === "nec-xhci" || controller.model === "qemu-xhci" ? "pcie" : "pci";
    case "scsi":
      return controller.model?.startsWith("virtio") ? virtioConnection(controller.model) : "pci";
    case "sata":
      return "pci";
    case "virtio-serial":
      return virtioConnection(controller.model);
    case "ide":
    case "fdc":
    case "ccid":
      return undefined;
  }
}

/** Returns the kind of slot for a host device; undefined if it is not on PCI. */
export function hostdevConnection(device: HostDevice): Connection | undefined {
  switch (device.type) {
    case "pci":
    case "mdev":
      return "pcie";
    case "scsi_host":
      return virtioConnection(device.model);
    case "usb":
    case "scsi":
      return undefined;
  }
}

/** Returns the kind of slot for an interface; undefined on USB. */
export function interfaceConnection({ model }: NetworkInterface): Connection | undefined {
  switch (model?.type) {
    case "usb-net":
      return undefined;
    case "virtio":
    case "virtio-non-transitional":
    case "e1000e":
    case "igb":
      return "pcie";
    default:
      return "pci";
  }
}

/** Returns "pci" for a transitional virtio device, which older guests support, and "pcie" for others. */
export function virtioConnection(model: string | undefined): Connection {
  return model === "virtio-transitional" ? "pci" : "pcie";
}

/** Returns the kind of slot for a graphics card with an occupied usual slot. */
export function videoConnection({ model }: Video): Connection | undefined {
  if (model.type === "none") return undefined;
  if (model.type === "ramfb") return undefined;
  return model.type === "virtio" || model.type === "bochs" ? "pcie" : "pci";
}

function bridgeConnection(model: (Controller & { readonly type: "pci" })["model"]): Connection | undefined {
  switch (model) {
    case "pci-root":
    case "pcie-root":
    case undefined:
      return undefined;
    case "pci-bridge":
      return "bridge";
    case "dmi-to-pci-bridge":
      return "dmi";
    case "pcie-to-pci-bridge":
      return "pcie";
    case "pcie-root-port":
      return "root-port";
    case "pcie-switch-upstream-port":
      return "upstream";
    case "pcie-switch-downstream-port":
      return "downstream";
    case "pci-expander-bus":
      return "pci-expander";
    case "pcie-expander-bus":
      return "pcie-expander";
  }
}
