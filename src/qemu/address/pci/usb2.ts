import type { Controller } from "../../../domain/devices/controller.ts";
import type { PciAddress } from "../../../domain/forms/address.ts";
import { type ControllerOf, pciPlace } from "../../model/guest.ts";
import type { Machine } from "../../model/machine.ts";
import { devicePath } from "../../refusal.ts";
import type { PciBuses } from "./buses.ts";

/** ICH9's USB 2.0: functions of a slot, with the same index. */
type Usb2 = ControllerOf<"usb">;

/** Function of each model in its slot. qemuDomainAssignDevicePCISlots() of libvirt */
const FUNCTIONS: ReadonlyMap<Usb2["model"], number> = new Map([
  ["ich9-uhci1", 0],
  ["ich9-uhci2", 1],
  ["ich9-uhci3", 2],
  ["ich9-ehci1", 7],
]);

/** Slots of the first two USB 2.0 controllers on a real board. */
const USUAL_SLOTS = [0x1d, 0x1a];

/** Reports whether the controller is a function of ICH9's USB 2.0. */
export function isUsb2(controller: Controller): controller is Usb2 {
  return controller.type === "usb" && FUNCTIONS.has(controller.model);
}

/** Assigns the slots of the real board to the first USB 2.0 controllers of a q35, if they are free. */
export function placeFirstUsb2(
  controllers: readonly Controller[],
  { chipset }: Machine,
  buses: PciBuses,
): readonly Controller[] {
  if (chipset !== "q35") return controllers;
  return controllers.map((controller, index) => {
    if (!isUsb2(controller) || controller.model !== "ich9-uhci1" || controller.address !== undefined) {
      return controller;
    }
    const slot = USUAL_SLOTS.find((free) => buses.isFree({ bus: 0, slot: free, function: 0 }));
    if (slot === undefined) return controller;
    return { ...controller, address: reserve(buses, controller, { bus: 0, slot, index }) };
  });
}

/** Assigns the slot of the functions with the same index, or the next free slot. */
export function placeUsb2(controllers: readonly Controller[], index: number, buses: PciBuses): Controller {
  const controller = controllers[index];
  if (controller === undefined || !isUsb2(controller) || controller.address !== undefined) {
    return controller ?? { type: "usb" };
  }
  const beside = controllers.find(
    (found) => isUsb2(found) && found.index === controller.index && found.address !== undefined,
  );
  if (beside?.address?.type === "pci") {
    return { ...controller, address: reserve(buses, controller, { ...pciPlace(beside.address), index }) };
  }
  const fn = FUNCTIONS.get(controller.model) ?? 0;
  return { ...controller, address: addSwitch(buses.take("pci", devicePath("controller", index), fn)) };
}

function reserve(
  buses: PciBuses,
  { model }: Usb2,
  { bus, slot, index }: { readonly bus: number; readonly slot: number; readonly index: number },
): PciAddress {
  const place = { bus, slot, function: FUNCTIONS.get(model) ?? 0 };
  const address = { type: "pci", domain: 0, ...place } as const;
  buses.reserve(address, devicePath("controller", index));
  return addSwitch(address);
}

/** Sets multifunction on function 0, since the slot has further functions. */
function addSwitch(address: PciAddress): PciAddress {
  return address.function === 0 ? { ...address, multifunction: true } : address;
}
