import type { Controller } from "../../../domain/devices/controller.ts";
import type { HostDevice } from "../../../domain/devices/hostdev.ts";
import type { NetworkInterface } from "../../../domain/devices/network/interface.ts";
import type { Video } from "../../../domain/devices/video.ts";
import type { Connection } from "./buses.ts";

/** What kind of place a controller needs; undefined for one that is no PCI device. qemuDomainDeviceCalculatePCIConnectFlags() */
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

/** What kind of place a device of the host needs; undefined for one that is not on PCI, or not seen at all. */
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

/** What kind of place an interface needs; undefined for one on USB. */
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

/** A virtio device that older guests know is a plain PCI device; the others go to PCI Express where there is any. */
export function virtioConnection(model: string | undefined): Connection {
  return model === "virtio-transitional" ? "pci" : "pcie";
}

/** What kind of place a graphics card needs when its usual one is taken. */
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
