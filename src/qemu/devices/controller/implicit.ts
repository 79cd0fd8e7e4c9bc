import type { Controller } from "../../../domain/devices/controller.ts";
import { diskBus } from "../../../domain/devices/disk/facts.ts";
import type { HostDevice } from "../../../domain/devices/hostdev.ts";
import type { Devices } from "../../../domain/devices.ts";
import { sortControllers } from "../../model/controller-order.ts";
import type { ControllerOf } from "../../model/guest.ts";
import type { Machine } from "../../model/machine.ts";
import { cannotTranslate } from "../../refusal.ts";
import { isOnVirtioSerial, isVirtioConsole } from "../chardev/virtio-serial.ts";
import { drivePlace } from "../disk/place.ts";
import { numberControllers } from "./numbers.ts";
import { MOST_CONTROLLERS, refuseControllers, refuseTooMany } from "./rules.ts";

/**
 * Sets the number and model of each controller. Adds the board's controllers, and the controllers for
 * devices. Throws "unsupported" for a controller impossible on the board.
 * virDomainDefAddImplicitControllers() and qemuDomainControllerDefPostParse() of libvirt
 */
export function addImplicitControllers(devices: Devices, machine: Machine): Devices {
  refuseTooMany(devices.controllers);
  const numbered = numberControllers(devices.controllers);
  const modelled = numbered.map((controller) => addModel(controller, machine));
  refuseControllers(modelled, machine);
  const written = sortControllers(modelled);
  const known = new Set(written.map(({ type, index }) => `${type} ${index}`));
  const missing = wantedControllers(devices, machine).filter(({ type, index }) => {
    const isNew = !known.has(`${type} ${index}`);
    known.add(`${type} ${index}`);
    return isNew;
  });
  const added = missing.map((found) => addModel(found, machine));
  return { ...devices, controllers: sortControllers([...written, ...added]) };
}

function wantedControllers(devices: Devices, { chipset }: Machine): readonly Controller[] {
  const { channels, consoles, hostdevs, smartcards } = devices;
  const usbModel = chipset === "q35" ? "qemu-xhci" : "piix3-uhci";
  const ports = [...channels.filter(isOnVirtioSerial), ...consoles.filter(isVirtioConsole)];
  return [
    { type: "usb", index: 0, model: usbModel },
    ...(chipset === "q35" ? [{ type: "sata", index: 0 } as const] : []),
    { type: "pci", index: 0 },
    ...(["scsi", "fdc", "ide", "sata"] as const).flatMap((type) => {
      const disks = devices.disks.filter((disk) => diskBus(disk) === type);
      const drives = disks.map((disk) => drivePlace(disk).controller);
      const passed = type === "scsi" ? hostdevs.flatMap(scsiController) : [];
      return upTo([...drives, ...passed]).map((index) => ({ type, index }));
    }),
    ...upTo(smartcards.map(({ address }) => address?.controller ?? 0)).map(
      (index) => ({ type: "ccid", index }) as const,
    ),
    ...ports.map(({ address }) => {
      const index = address?.type === "virtio-serial" ? (address.controller ?? 0) : 0;
      return { type: "virtio-serial", index } as const;
    }),
  ];
}

function scsiController({ type, address }: HostDevice): readonly number[] {
  if (type !== "scsi") return [];
  return [address?.type === "drive" ? (address.controller ?? 0) : 0];
}

/** Lists 0, 1, ... up to the highest number. */
function upTo(numbers: readonly number[]): readonly number[] {
  const highest = Math.max(-1, ...numbers);
  if (highest < MOST_CONTROLLERS) return [...Array(highest + 1).keys()];
  const why = `an address names controller ${highest}, which would add all controllers with lower numbers`;
  throw cannotTranslate("/domain/devices", why, `Write a number up to ${MOST_CONTROLLERS - 1}.`);
}

function addModel(controller: Controller, { chipset }: Machine): Controller {
  switch (controller.type) {
    case "usb":
      return addMaster({ ...controller, model: controller.model ?? "piix3-uhci" });
    case "scsi":
      return { ...controller, model: scsiModel(controller.model) };
    case "pci":
      if (controller.model !== undefined) return controller;
      if (controller.index === 0)
        return { ...controller, model: chipset === "q35" ? "pcie-root" : "pci-root" };
      return { ...controller, model: chipset === "q35" ? "pcie-root-port" : "pci-bridge" };
    case "ide":
    case "fdc":
    case "sata":
    case "virtio-serial":
    case "ccid":
      return controller;
  }
}

// qemuDomainDefaultSCSIControllerModel() on a PC, where "auto" means the default
function scsiModel(model: ControllerOf<"scsi">["model"]): NonNullable<ControllerOf<"scsi">["model"]> {
  return model === undefined || model === "auto" ? "lsilogic" : model;
}

/** First port on the master of each ICH9 companion. virDomainControllerDefParseXML() */
const COMPANIONS: ReadonlyMap<ControllerOf<"usb">["model"], number> = new Map([
  ["ich9-uhci1", 0],
  ["ich9-uhci2", 2],
  ["ich9-uhci3", 4],
]);

function addMaster(controller: ControllerOf<"usb">): ControllerOf<"usb"> {
  const startport = COMPANIONS.get(controller.model);
  if (startport === undefined || controller.master !== undefined) return controller;
  return { ...controller, master: { startport } };
}
