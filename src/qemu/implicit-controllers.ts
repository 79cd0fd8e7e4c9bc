import type { Controller } from "../domain/controller.ts";
import type { Devices } from "../domain/devices.ts";
import { diskBus } from "../domain/disk.ts";
import { drivePlace } from "./disk-place.ts";
import { type ControllerOf, controllersOf } from "./guest.ts";
import type { Machine } from "./machine.ts";
import { cannotTranslate, devicePath } from "./refusal.ts";

/**
 * Gives each controller its number and model, and adds those that the board has or that a device needs. Throws
 * "unsupported" for what the board cannot have. virDomainDefAddImplicitControllers() and
 * qemuDomainControllerDefPostParse() of libvirt
 */
export function addImplicitControllers(devices: Devices, machine: Machine): Devices {
  const written = numberControllers(devices.controllers).map((controller, index) => {
    refuseController(controller, machine, devicePath("controller", index));
    return withModel(controller, machine);
  });
  refuseUsb(written);
  const known = new Set(written.map(({ type, index }) => `${type} ${index}`));
  const missing = wantedControllers(devices, machine).filter(({ type, index }) => {
    const isNew = !known.has(`${type} ${index}`);
    known.add(`${type} ${index}`);
    return isNew;
  });
  return { ...devices, controllers: [...written, ...missing.map((found) => withModel(found, machine))] };
}

function numberControllers(controllers: readonly Controller[]): readonly Controller[] {
  const taken = new Map<string, Set<number>>();
  for (const { type, index } of controllers) {
    const numbers = taken.get(type) ?? new Set();
    if (index !== undefined) numbers.add(index);
    taken.set(type, numbers);
  }
  return controllers.map((controller) => {
    if (controller.index !== undefined) return controller;
    const numbers = taken.get(controller.type) ?? new Set();
    let index = 0;
    while (numbers.has(index)) index += 1;
    numbers.add(index);
    return { ...controller, index };
  });
}

function wantedControllers(devices: Devices, { chipset }: Machine): readonly Controller[] {
  const { channels, consoles } = devices;
  const usb = controllersOf(devices, "usb");
  const usbModel = chipset === "q35" ? "qemu-xhci" : "piix3-uhci";
  const ports = [...channels, ...consoles.filter(({ target }) => target?.type === "virtio")];
  return [
    ...(usb.length === 0 ? [{ type: "usb", index: 0, model: usbModel } as const] : []),
    { type: "pci", index: 0 },
    ...(chipset === "q35" ? [{ type: "sata", index: 0 } as const] : []),
    ...(["ide", "scsi", "sata", "fdc"] as const).flatMap((type) => {
      const disks = devices.disks.filter((disk) => diskBus(disk) === type);
      return upTo(disks.map((disk) => drivePlace(disk).controller)).map((index) => ({ type, index }));
    }),
    ...upTo(ports.map(({ address }) => address?.controller ?? 0)).map(
      (index) => ({ type: "virtio-serial", index }) as const,
    ),
  ];
}

/** 0, 1, ... up to the highest number that is used. */
function upTo(numbers: readonly number[]): readonly number[] {
  return numbers.length === 0 ? [] : [...Array(Math.max(...numbers) + 1).keys()];
}

function withModel(controller: Controller, { chipset }: Machine): Controller {
  switch (controller.type) {
    case "usb":
      return { ...controller, model: controller.model ?? "piix3-uhci" };
    case "scsi":
      return { ...controller, model: controller.model ?? "lsilogic" };
    case "pci":
      if (controller.model !== undefined) return controller;
      if (controller.index === 0)
        return { ...controller, model: chipset === "q35" ? "pcie-root" : "pci-root" };
      return { ...controller, model: chipset === "q35" ? "pcie-root-port" : "pci-bridge" };
    case "ide":
    case "fdc":
    case "sata":
    case "virtio-serial":
      return controller;
  }
}

function refuseController(controller: Controller, { chipset, word }: Machine, path: string): void {
  switch (controller.type) {
    case "ide":
      if (chipset === "i440fx" && controller.index === 0 && (controller.model ?? "piix3") === "piix3") return;
      throw cannotTranslate(path, `a ${word} has no such IDE controller`, "Use bus='sata' or bus='virtio'.");
    case "fdc":
      if (controller.index === 0) return;
      throw cannotTranslate(path, "a PC has one floppy controller", "Remove it.");
    case "pci":
      refuseBridge(controller, { chipset, word }, path);
      return;
    case "usb":
    case "sata":
    case "scsi":
    case "virtio-serial":
      return;
  }
}

/** A companion serves the ports of a master, and "none" means none. */
function refuseUsb(controllers: readonly Controller[]): void {
  const usb = controllers.filter((found) => found.type === "usb");
  const isMaster = ({ master }: ControllerOf<"usb">): boolean => master === undefined;
  for (const [position, controller] of controllers.entries()) {
    if (controller.type !== "usb") continue;
    const path = devicePath("controller", position);
    if (!isMaster(controller) && !usb.some((found) => isMaster(found) && found.index === controller.index)) {
      throw cannotTranslate(
        `${path}/master`,
        "no controller with this index is a master",
        "Add the EHCI controller.",
      );
    }
    if (controller.model === "none" && usb.length > 1) {
      throw cannotTranslate(`${path}/@model`, "there are other USB controllers", "Remove them, or this one.");
    }
  }
}

function refuseBridge(
  { index, model }: ControllerOf<"pci">,
  { chipset, word }: Pick<Machine, "chipset" | "word">,
  path: string,
): void {
  if (model === undefined) return;
  const root = chipset === "q35" ? "pcie-root" : "pci-root";
  if ((index === 0) !== (model === root)) {
    const why = `the PCI controller with index 0, and no other, is the ${root} of a ${word}`;
    throw cannotTranslate(
      `${path}/@model`,
      why,
      `Write model='${root}' for index 0, another one for the rest.`,
    );
  }
  if (chipset === "i440fx" && index !== 0 && model !== "pci-bridge") {
    const remedy = "Write machine='q35', or model='pci-bridge'.";
    throw cannotTranslate(`${path}/@model`, `a ${word} has no PCI Express`, remedy);
  }
}
