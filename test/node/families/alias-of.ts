import { allAt, attributeAt, type Element } from "./xml-tree.ts";

/**
 * Returns libvirt's alias of a device, by its index among the elements of its name. `qemu_alias.c` of
 * libvirt: qemuAssignDeviceDiskAlias(), qemuAssignDeviceControllerAlias() and the functions after them.
 */
export function aliasOf(device: Element, index: number): string {
  switch (device.name) {
    case "disk":
      return diskAlias(device);
    case "controller":
      return controllerAlias(device.attributes);
    case "interface":
      return `net${index}`;
    case "memballoon":
      return `balloon${index}`;
    default:
      return `${device.name}${index}`;
  }
}

function diskAlias(disk: Element): string {
  const { bus = "", dev = "" } = allAt(disk, "target")[0]?.attributes ?? {};
  const letter = (dev.at(-1)?.charCodeAt(0) ?? 0) - "a".charCodeAt(0);
  if (bus === "virtio" || bus === "usb") return `${bus}-disk${letter}`;
  const place = (name: string): string => attributeAt(disk, ["address"], name);
  const parts = [
    place("controller"),
    place("bus"),
    ...(bus === "scsi" ? [place("target")] : []),
    place("unit"),
  ];
  return `${bus}${parts.join("-")}`;
}

function controllerAlias({ index = "0", type = "" }: Element["attributes"]): string {
  if (type === "pci") return `pci.${index}`;
  return type === "usb" && index === "0" ? "usb" : `${type}${index}`;
}
