import type { Controller } from "../../../domain/devices/controller.ts";
import type { Devices } from "../../../domain/devices.ts";
import { orderOf } from "../../../domain/families.ts";
import type { PciAddress } from "../../../domain/forms/address.ts";
import { sortControllers } from "../../model/controller-order.ts";
import { type ControllerOf, controllersOf, pciPlace } from "../../model/guest.ts";
import type { Machine } from "../../model/machine.ts";
import { devicePath } from "../../refusal.ts";
import { type Connection, createPciBuses, type PciBuses, type PciModel } from "./buses.ts";
import { controllerConnection, videoConnection } from "./connection.ts";
import { listWritten, type PciFamily, placeFamily } from "./families.ts";
import { addMultifunction } from "./multifunction.ts";
import { createPlacer, type Placer } from "./placer.ts";
import { isUsb2, placeFirstUsb2, placeUsb2 } from "./usb2.ts";

/**
 * Assigns an address to each PCI device, and adds the necessary bridges and ports. The order is libvirt's: a
 * guest moved from libvirt keeps its addresses. qemuDomainAssignPCIAddresses() of libvirt
 */
export function placePci(written: Devices, machine: Machine): Devices {
  const devices = addMissingBuses(written, machine);
  const counted = createPciBuses(controllersOf(devices, "pci"), machine);
  // A spare slot, for a device attached later.
  const spare = (connection: Connection): unknown => counted.take(connection, "/domain/devices");
  const draft = placeAll(devices, machine, {
    buses: counted,
    first: () => machine.chipset === "i440fx" && !counted.isFull() && spare("pci"),
  });
  const onlyRoot = controllersOf(written, "pci").length === 1;
  const hasGrown = devices !== written || counted.added.length > 0;
  if (machine.chipset === "q35" && onlyRoot && hasGrown) spare("pcie");
  if (counted.added.length === 0 && machine.chipset === "q35") return addMultifunction(draft);
  const bridges = counted.added.map(addedController);
  const whole = { ...devices, controllers: sortControllers([...devices.controllers, ...bridges]) };
  const buses = createPciBuses(controllersOf(whole, "pci"), machine);
  return addMultifunction(placeAll(whole, machine, { buses, first: () => undefined }));
}

/** Adds the buses implied by an address or a higher bus number. virDomainPCIAddressSetCreate…() of libvirt */
function addMissingBuses(devices: Devices, { chipset }: Machine): Devices {
  const known = controllersOf(devices, "pci").map(({ index = 0 }) => index);
  const asked = listWritten(devices).map(({ address }) => address.bus ?? 0);
  const highest = Math.max(0, ...known, ...asked);
  const missing = [...Array(highest + 1).keys()].filter((index) => !known.includes(index));
  const model = chipset === "q35" ? "pcie-root-port" : "pci-bridge";
  const added = missing.map((index) => addedController({ index, model }));
  return added.length === 0
    ? devices
    : { ...devices, controllers: sortControllers([...devices.controllers, ...added]) };
}

function addedController({ index, model }: { readonly index: number; readonly model: PciModel }): Controller {
  return { type: "pci", index, model };
}

interface Round {
  readonly buses: PciBuses;
  /** Called when the written addresses are reserved, before any is assigned. */
  first(): unknown;
}

type Part =
  | Exclude<PciFamily, "controllers" | "interfaces">
  | "bridges"
  | "cards"
  | "other-controllers"
  | "passed-cards";

/** Order in which addresses are assigned, libvirt's. qemuDomainAssignDevicePCISlots() */
const ORDER = orderOf<Part>()([
  "bridges",
  "filesystems",
  "cards",
  "sounds",
  "other-controllers",
  "disks",
  "passed-cards",
  "hostdevs",
  "memballoon",
  "rngs",
  "watchdogs",
  "videos",
  "shmems",
  "inputs",
  "serials",
  "iommu",
  "vsock",
  "memories",
  "cryptos",
  "pstore",
  "panics",
]);

function placeAll(devices: Devices, machine: Machine, round: Round): Devices {
  const { buses } = round;
  const onBoard = fixOnBoard(devices.controllers, machine);
  reserveWritten({ ...devices, controllers: onBoard }, buses);
  const usual = placeFirstUsb2(onBoard, machine, buses);
  const controllers = usual.map((found, index) => placeDmi(found, index, buses));
  const videos = placePrimary(devices.videos, machine, buses);
  const sounds = placeIch9(devices.sounds, machine, buses);
  round.first();
  const place = createPlacer(buses);
  const fixed: Devices = { ...devices, controllers, videos, sounds };
  return ORDER.reduce((before, part) => placePart(before, part, { place, buses }), fixed);
}

function placePart(
  devices: Devices,
  part: Part,
  { buses, place }: { readonly place: Placer; readonly buses: PciBuses },
): Devices {
  switch (part) {
    case "bridges":
      return { ...devices, controllers: placeBridges(devices.controllers, place) };
    case "other-controllers":
      return { ...devices, controllers: placeOthers(devices.controllers, place, buses) };
    case "cards":
      return placeFamily(devices, "interfaces", { place, isIncluded: (found) => !isPassed(found) });
    case "passed-cards":
      return placeFamily(devices, "interfaces", { place, isIncluded: isPassed });
    default:
      return placeFamily(devices, part, { place });
  }
}

const isPassed = (found: object): boolean => "type" in found && found.type === "hostdev";

const isPci = (controller: Controller): boolean => controller.type === "pci";

function placeBridges(controllers: readonly Controller[], place: Placer): readonly Controller[] {
  return controllers.map(
    place("controller", (found) => (isPci(found) ? controllerConnection(found) : undefined)),
  );
}

function placeOthers(
  controllers: readonly Controller[],
  place: Placer,
  buses: PciBuses,
): readonly Controller[] {
  const placeOther = place<Controller>("controller", (found) =>
    isPci(found) ? undefined : controllerConnection(found),
  );
  return controllers.reduce<readonly Controller[]>((placed, found, index) => {
    const after = isUsb2(found) ? placeUsb2(placed, index, buses) : placeOther(found, index);
    return placed.with(index, after);
  }, controllers);
}

/** The bridge to conventional PCI gets its slot of the real board, if free. */
function placeDmi(controller: Controller, index: number, buses: PciBuses): Controller {
  const place = { bus: 0, slot: 0x1e, function: 0 };
  if (controller.type !== "pci" || controller.model !== "dmi-to-pci-bridge") return controller;
  if (controller.address !== undefined || !buses.isFree(place)) return controller;
  const address = { type: "pci", domain: 0, ...place } as const;
  buses.reserve(address, devicePath("controller", index));
  return { ...controller, address };
}

/** Gives ICH9's sound its slot on the real board, if free. */
function placeIch9(sounds: Devices["sounds"], { chipset }: Machine, buses: PciBuses): Devices["sounds"] {
  const place = { bus: 0, slot: 0x1b, function: 0 };
  const at = sounds.findIndex((found) => found.model === "ich9" && found.address === undefined);
  const sound = sounds[at];
  if (chipset !== "q35" || sound?.model !== "ich9" || !buses.isFree(place)) return sounds;
  const address = { type: "pci", domain: 0, ...place } as const;
  buses.reserve(address, devicePath("sound", at));
  return sounds.with(at, { ...sound, address });
}

/** Controllers of the board have fixed addresses. */
function fixOnBoard(controllers: readonly Controller[], { chipset }: Machine): readonly Controller[] {
  const at = (slot: number, fn: number): PciAddress => ({
    type: "pci",
    domain: 0,
    bus: 0,
    slot,
    function: fn,
  });
  return controllers.map((controller) => {
    const { type, index, address } = controller;
    if (index !== 0 || address !== undefined) return controller;
    if (chipset === "i440fx" && type === "ide") return { ...controller, address: at(1, 1) };
    if (chipset === "i440fx" && type === "usb" && controller.model === "piix3-uhci") {
      return { ...controller, address: at(1, 2) };
    }
    return chipset === "q35" && type === "sata" ? { ...controller, address: at(0x1f, 2) } : controller;
  });
}

/** Reserves the addresses in the XML. Throws "unsupported" for an occupied or unknown address. */
export function reserveWritten(devices: Devices, buses: PciBuses): void {
  const bridges = new Set<object>(controllersOf(devices, "pci"));
  for (const { address, device, path } of listWritten(devices)) {
    const isBridge = (found: object): found is Controller => bridges.has(found);
    buses.reserve(address, path, isBridge(device) ? controllerConnection(device) : undefined);
  }
  for (const { address } of devices.controllers.filter(isRootPort)) {
    if (address !== undefined) buses.share(pciPlace(address));
  }
}

/** The primary card gets the slot expected by firmware and guests: slot 2 of a pc, slot 1 of a q35. */
function placePrimary(videos: Devices["videos"], { chipset }: Machine, buses: PciBuses): Devices["videos"] {
  const [primary, ...others] = videos;
  const place = { bus: 0, slot: chipset === "q35" ? 1 : 2, function: 0 };
  if (primary === undefined || primary.address !== undefined || videoConnection(primary) === undefined)
    return videos;
  if (!buses.isFree(place)) return videos;
  const address = { type: "pci", domain: 0, ...place } as const;
  buses.reserve(address, devicePath("video", 0));
  return [{ ...primary, address }, ...others];
}

function isRootPort(controller: Controller): controller is ControllerOf<"pci"> {
  return controller.type === "pci" && controller.model === "pcie-root-port";
}
