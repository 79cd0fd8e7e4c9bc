import type { PciAddress } from "../domain/address.ts";
import type { Controller } from "../domain/controller.ts";
import type { Devices } from "../domain/devices.ts";
import { diskBus } from "../domain/disk.ts";
import { sortControllers } from "./controller-order.ts";
import { inputBus } from "./default-devices.ts";
import { controllersOf, pciPlace } from "./guest.ts";
import type { Machine } from "./machine.ts";
import { type Connection, createPciBuses, type PciBuses, type PciModel } from "./pci-buses.ts";
import { controllerConnection, videoConnection, virtioConnection } from "./pci-connection.ts";
import { devicePath } from "./refusal.ts";

/**
 * Gives each PCI device its address, and adds the bridges and ports that this takes, in libvirt's order: who moves a
 * guest here finds each device where it was. qemuDomainAssignPCIAddresses() of libvirt
 */
export function placePci(devices: Devices, machine: Machine): Devices {
  const counted = createPciBuses(controllersOf(devices, "pci"), machine);
  // One place more than is needed, so that a device can be plugged in later.
  const spare = (connection: Connection): unknown => counted.take(connection, "/domain/devices");
  const draft = placeAll(devices, machine, {
    buses: counted,
    first: () => machine.chipset === "i440fx" && !counted.isFull() && spare("pci"),
  });
  const onlyRoot = controllersOf(devices, "pci").length === 1;
  if (machine.chipset === "q35" && onlyRoot && counted.added.length > 0) spare("pcie");
  if (counted.added.length === 0 && machine.chipset === "q35") return withMultifunction(draft);
  const bridges = counted.added.map(addedController);
  const whole = { ...devices, controllers: sortControllers([...devices.controllers, ...bridges]) };
  const buses = createPciBuses(controllersOf(whole, "pci"), machine);
  return withMultifunction(placeAll(whole, machine, { buses, first: () => undefined }));
}

function addedController({ index, model }: { readonly index: number; readonly model: PciModel }): Controller {
  return { type: "pci", index, model };
}

interface Round {
  readonly buses: PciBuses;
  /** What is done when the written addresses are taken, before any is given. */
  first(): unknown;
}

interface Placed {
  readonly address?: { readonly type: string };
}

function placeAll(devices: Devices, machine: Machine, round: Round): Devices {
  const { buses } = round;
  const controllers = fixOnBoard(devices.controllers, machine);
  reserveWritten({ ...devices, controllers }, buses);
  const videos = placePrimary(devices.videos, machine, buses);
  round.first();
  const place =
    <D extends Placed>(element: string, connectionOf: (device: D) => Connection | undefined) =>
    (device: D, index: number): D => {
      const connection = device.address === undefined ? connectionOf(device) : undefined;
      if (connection === undefined) return device;
      return { ...device, address: buses.take(connection, devicePath(element, index)) };
    };
  const isPci = (controller: Controller): boolean => controller.type === "pci";
  const virtio = (): Connection => "pcie";
  const bridges = controllers.map(
    place("controller", (found) => (isPci(found) ? controllerConnection(found) : undefined)),
  );
  const interfaces = devices.interfaces.map(
    place("interface", ({ model }) =>
      /^(?:virtio|e1000e|vmxnet3)$/.test(model?.type ?? "") ? "pcie" : "pci",
    ),
  );
  const others = bridges.map(
    place("controller", (found) => (isPci(found) ? undefined : controllerConnection(found))),
  );
  const disks = devices.disks.map(
    place("disk", (disk) => (diskBus(disk) === "virtio" ? virtioConnection(disk.model) : undefined)),
  );
  const memballoon = devices.memballoon && placeBalloon(devices.memballoon, place("memballoon", virtio));
  return {
    ...devices,
    controllers: others,
    interfaces,
    disks,
    ...(memballoon === undefined ? {} : { memballoon }),
    rngs: devices.rngs.map(place("rng", virtio)),
    watchdogs: devices.watchdogs.map(
      place("watchdog", ({ model }) => (model === "i6300esb" ? "pci" : undefined)),
    ),
    videos: videos.map(place("video", videoConnection)),
    inputs: devices.inputs.map(
      place("input", (input) => (inputBus(input) === "virtio" ? "pcie" : undefined)),
    ),
    serials: devices.serials.map(
      place("serial", ({ target }) => (target?.type === "pci-serial" ? "pci" : undefined)),
    ),
  };
}

type Memballoon = NonNullable<Devices["memballoon"]>;
type VirtioBalloon = Extract<Memballoon, { readonly model: "virtio" }>;

function placeBalloon(
  found: Memballoon,
  place: (found: VirtioBalloon, index: number) => VirtioBalloon,
): Memballoon {
  return found.model === "virtio" ? place(found, 0) : found;
}

/** Controllers that are part of the board have their address from it. */
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

function reserveWritten(devices: Devices, buses: PciBuses): void {
  const { controllers, interfaces, disks, rngs, watchdogs, videos, inputs, serials, memballoon } = devices;
  const balloons = memballoon?.model === "virtio" ? [memballoon] : [];
  const families = Object.entries({
    controller: controllers,
    interface: interfaces,
    disk: disks,
    memballoon: balloons,
  });
  const later = Object.entries({
    rng: rngs,
    watchdog: watchdogs,
    video: videos,
    input: inputs,
    serial: serials,
  });
  for (const [element, found] of [...families, ...later]) {
    for (const [index, { address }] of found.entries()) {
      if (address?.type === "pci") buses.reserve(address, devicePath(element, index));
    }
  }
  for (const { address } of controllers.filter(isRootPort)) {
    if (address !== undefined) buses.share(pciPlace(address));
  }
}

/** The primary card stands where firmware and guests expect it: slot 2 of a pc, slot 1 of a q35. */
function placePrimary(videos: Devices["videos"], { chipset }: Machine, buses: PciBuses): Devices["videos"] {
  const [primary, ...others] = videos;
  const place = { bus: 0, slot: chipset === "q35" ? 1 : 2, function: 0 };
  if (primary === undefined || primary.address !== undefined || primary.model.type === "none") return videos;
  if (!buses.isFree(place)) return videos;
  const address = { type: "pci", domain: 0, ...place } as const;
  buses.reserve(address, devicePath("video", 0));
  return [{ ...primary, address }, ...others];
}

/** Function 0 of a slot must say that there are others. */
function withMultifunction(devices: Devices): Devices {
  const shared = new Set<number>();
  for (const port of controllersOf(devices, "pci").filter(isRootPort)) {
    const { slot, function: fn } = pciPlace(port.address ?? { type: "pci" });
    if (fn > 0) shared.add(slot);
  }
  return {
    ...devices,
    controllers: devices.controllers.map((controller) => {
      const { address } = controller;
      if (!isRootPort(controller) || address === undefined || address.multifunction !== undefined)
        return controller;
      const { slot, function: fn } = pciPlace(address);
      if (fn > 0 || !shared.has(slot)) return controller;
      return { ...controller, address: { ...address, multifunction: true } };
    }),
  };
}

function isRootPort(controller: Controller): boolean {
  return controller.type === "pci" && controller.model === "pcie-root-port";
}
