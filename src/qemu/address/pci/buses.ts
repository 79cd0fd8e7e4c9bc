import type { PciAddress } from "../../../domain/forms/address.ts";
import { type ControllerOf, type PciPlace, pciPlace } from "../../model/guest.ts";
import type { Machine } from "../../model/machine.ts";
import { cannotTranslate } from "../../refusal.ts";

/** Kind of slot for a device. */
export type Connection =
  | "pci"
  | "pcie"
  | "integrated"
  | "bridge"
  | "root-port"
  | "upstream"
  | "downstream"
  | "dmi"
  | "pci-expander"
  | "pcie-expander";

export type PciModel = NonNullable<ControllerOf<"pci">["model"]>;

interface Bus {
  readonly index: number;
  readonly model: PciModel;
  /** Occupied functions, by slot. */
  readonly slots: Map<number, Set<number>>;
  /** Slots shared by several root ports, a function each. */
  readonly shared: Set<number>;
}

/** The PCI buses of a guest during the assignment of addresses. */
export interface PciBuses {
  /** Reserves an address of the XML. Throws "unsupported" if it is occupied or does not exist. */
  reserve(address: PciAddress, path: string, bridge?: Connection): void;
  isFree(place: PciPlace): boolean;
  /** Reports whether all slots of all buses are occupied. */
  isFull(): boolean;
  /** Lets other root ports use the free functions of this port's slot. */
  share(place: PciPlace): void;
  /**
   * Assigns the first free slot of the kind; adds a bus if none is free. Throws "unsupported" if no bus can
   * be added.
   */
  take(connection: Connection, path: string, fn?: number): PciAddress;
  /** The added buses, with their models and numbers. */
  readonly added: readonly { readonly index: number; readonly model: PciModel }[];
}

/** A bus number has eight bits. */
const HIGHEST_BUS = 255;

/**
 * Devices accepted by each bus without a given address, and its first and last slot.
 * virDomainPCIAddressBusSetModel()
 */
const KINDS: Readonly<
  Record<PciModel, readonly [takes: readonly Connection[], first: number, last: number]>
> = {
  "pci-root": [["pci", "bridge", "pci-expander"], 1, 31],
  "pcie-root": [["root-port", "dmi", "integrated", "pcie-expander"], 1, 31],
  "pci-bridge": [["pci", "bridge"], 1, 31],
  "dmi-to-pci-bridge": [["bridge"], 0, 31],
  "pcie-to-pci-bridge": [["pci", "bridge"], 1, 31],
  "pci-expander-bus": [["pci", "bridge"], 0, 31],
  "pcie-expander-bus": [["root-port", "dmi"], 0, 31],
  "pcie-root-port": [["pcie", "upstream"], 0, 0],
  "pcie-switch-upstream-port": [["downstream"], 0, 31],
  "pcie-switch-downstream-port": [["pcie"], 0, 0],
};

/** Returns the buses of these controllers, with the board's occupied slots. */
export function createPciBuses(controllers: readonly ControllerOf<"pci">[], machine: Machine): PciBuses {
  const buses: Bus[] = controllers.map(({ index = 0, model = "pci-root" }) => newBus(index, model));
  buses.sort((a, b) => a.index - b.index);
  const added: { index: number; model: PciModel }[] = [];
  for (const place of onBoard(machine)) occupy(buses, place);
  const add = (model: PciModel, path: string): void => {
    const index = Math.max(...buses.map((bus) => bus.index)) + 1;
    if (index > HIGHEST_BUS) {
      throw cannotTranslate(
        "/domain/devices",
        "its devices require more than 256 PCI buses",
        "Remove some devices.",
      );
    }
    buses.push(newBus(index, model));
    added.push({ index, model });
    // A bridge from PCI Express needs a port; other bridges are placed when all are counted.
    if (model === "pcie-to-pci-bridge") pci.take("pcie", path);
  };
  const pci: PciBuses = {
    added,
    isFree: (place) => functionsAt(buses, place) === undefined,
    isFull: () => buses.every(isFullBus),
    share: (place) => share(buses, place),
    reserve(address, path, bridge) {
      const place = pciPlace(address);
      if ((address.domain ?? 0) !== 0) {
        throw cannotTranslate(`${path}/address/@domain`, "a PC has only PCI domain 0", "Leave it out.");
      }
      refusePlace(buses, place, `${path}/address`);
      refuseOtherKind(buses, { place, bridge, path });
      occupy(buses, place);
    },
    take(connection, path, fn = 0) {
      // Without PCI Express a device for both kinds is a conventional PCI device.
      const kind = connection === "pcie" && machine.chipset === "i440fx" ? "pci" : connection;
      const place = findPlace(buses, kind);
      if (place === undefined) {
        const hasBridgePlace = buses.some(({ model }) => KINDS[model][0].includes("bridge"));
        for (const model of busesToAdd(kind, machine, { path, hasBridgePlace })) add(model, path);
        return pci.take(kind, path, fn);
      }
      const taken = fn === 0 ? place : { ...place, function: fn };
      occupy(buses, taken);
      if (kind === "root-port") share(buses, taken);
      return { type: "pci", domain: 0, ...taken };
    },
  };
  return pci;
}

function newBus(index: number, model: PciModel): Bus {
  return { index, model, slots: new Map(), shared: new Set() };
}

/**
 * Slots of the board: the host bridge, and PIIX3's ISA, IDE and ACPI or ICH9's ISA and SMBus. USB and SATA
 * are devices of the XML.
 */
function onBoard({ chipset }: Machine): readonly PciPlace[] {
  const at = (slot: number, fn: number): PciPlace => ({ bus: 0, slot, function: fn });
  return chipset === "q35" ? [at(0, 0), at(0x1f, 0), at(0x1f, 3)] : [at(0, 0), at(1, 0), at(1, 3)];
}

function occupy(buses: readonly Bus[], { bus, slot, function: fn }: PciPlace): void {
  const slots = buses.find(({ index }) => index === bus)?.slots;
  slots?.set(slot, (slots.get(slot) ?? new Set()).add(fn));
}

function isFullBus({ model, slots }: Bus): boolean {
  const [, first, last] = KINDS[model];
  return [...Array(last - first + 1).keys()].every((at) => slots.has(first + at));
}

function share(buses: readonly Bus[], { bus, slot }: PciPlace): void {
  buses.find(({ index }) => index === bus)?.shared.add(slot);
}

function functionsAt(buses: readonly Bus[], { bus, slot }: PciPlace): ReadonlySet<number> | undefined {
  return buses.find(({ index }) => index === bus)?.slots.get(slot);
}

function findPlace(buses: readonly Bus[], connection: Connection): PciPlace | undefined {
  for (const bus of buses) {
    const [takes, first, last] = KINDS[bus.model];
    if (!takes.includes(connection)) continue;
    for (let slot = first; slot <= last; slot += 1) {
      const fn = freeFunction(bus, slot, connection);
      if (fn !== undefined) return { bus: bus.index, slot, function: fn };
    }
  }
  return undefined;
}

/** A device has a slot to itself; root ports share a slot. */
function freeFunction({ slots, shared }: Bus, slot: number, connection: Connection): number | undefined {
  const taken = slots.get(slot);
  if (taken === undefined) return 0;
  if (connection !== "root-port" || !shared.has(slot)) return undefined;
  return [0, 1, 2, 3, 4, 5, 6, 7].find((fn) => !taken.has(fn));
}

/** virDomainPCIAddressSetGrow() of libvirt */
function busesToAdd(
  connection: Connection,
  { chipset, word }: Machine,
  { path, hasBridgePlace }: { readonly path: string; readonly hasBridgePlace: boolean },
): readonly PciModel[] {
  const isPlain = connection === "pci" || connection === "bridge";
  if (chipset === "i440fx" && (isPlain || connection === "pcie")) return ["pci-bridge"];
  if (connection === "pcie") return ["pcie-root-port"];
  if (isPlain && hasBridgePlace) return ["pci-bridge"];
  if (isPlain) return ["pcie-root-port", "pcie-to-pci-bridge"];
  throw cannotTranslate(
    path,
    `the machine ${word} has no free slot for this device`,
    "Write an address for the device, or remove it.",
  );
}

/** Buses for bridges only. */
const BRIDGES_ONLY: ReadonlySet<PciModel> = new Set(["pcie-switch-upstream-port", "pcie-expander-bus"]);

/**
 * A device may be on either kind of PCI, a bridge only on a bus for its kind.
 * virDomainPCIAddressFlagsCompatible() of libvirt
 */
function refuseOtherKind(
  buses: readonly Bus[],
  asked: { readonly place: PciPlace; readonly bridge: Connection | undefined; readonly path: string },
): void {
  const { place, bridge, path } = asked;
  const model = buses.find(({ index }) => index === place.bus)?.model;
  if (model === undefined) return;
  const isRight =
    bridge === undefined || bridge === "bridge" ? !BRIDGES_ONLY.has(model) : KINDS[model][0].includes(bridge);
  if (isRight) return;
  const why = `a ${model} does not accept this device`;
  throw cannotTranslate(`${path}/address/@bus`, why, "Write another bus, or leave the address out.");
}

function refusePlace(buses: readonly Bus[], place: PciPlace, path: string): void {
  const bus = buses.find(({ index }) => index === place.bus);
  const shown = `${place.bus.toString(16)}:${place.slot.toString(16)}.${place.function}`;
  if (bus === undefined) {
    throw cannotTranslate(
      path,
      `the guest has no PCI bus ${place.bus}`,
      "Add the controller of that bus, or leave the address out.",
    );
  }
  const [, first, last] = KINDS[bus.model];
  if (place.slot < first || place.slot > last) {
    const why = `a ${bus.model} has slots from ${first} to ${last}, and the address has slot ${place.slot}`;
    throw cannotTranslate(path, why, "Write another slot, or leave the address out.");
  }
  if (bus.slots.get(place.slot)?.has(place.function)) {
    throw cannotTranslate(path, `the PCI address ${shown} is in use`, "Give each device its own address.");
  }
}
