import type { Serial } from "../domain/chardev.ts";
import type { Devices } from "../domain/devices.ts";
import { diskBus } from "../domain/disk.ts";
import { inputBus } from "./default-devices.ts";
import { type ControllerOf, controllersOf } from "./guest.ts";
import { cannotTranslate, devicePath } from "./refusal.ts";

/** A place on a USB bus: the controller's number and the port, "1" or "1.2" behind a hub. */
interface UsbPlace {
  readonly type: "usb";
  readonly bus: number;
  readonly port: string;
}

type UsbController = ControllerOf<"usb">;

/** How many ports a controller has; a companion's ports are its master's. virDomainUSBAddressControllerModelToMaxPorts() */
const PORTS: ReadonlyMap<UsbController["model"], number> = new Map([
  ["piix3-uhci", 2],
  ["piix4-uhci", 2],
  ["ehci", 6],
  ["ich9-ehci1", 6],
  ["nec-xhci", 4],
  ["qemu-xhci", 4],
]);

/** Gives disks, pointers and keyboards on USB a port each, in libvirt's order. Throws "unsupported" when none is left. */
export function placeUsb(devices: Devices): Devices {
  const ports = createPorts(controllersOf(devices, "usb"));
  const { disks, inputs, serials, sounds } = devices;
  for (const device of [...disks, ...inputs, ...serials, ...sounds]) {
    const address = "address" in device ? device.address : undefined;
    if (address?.type === "usb") ports.reserve(address.bus ?? 0, address.port);
  }
  const place = (address: Devices["disks"][number]["address"] | Serial["address"], path: string): UsbPlace =>
    ports.take(address?.type === "usb" ? address : undefined, path);
  return {
    ...devices,
    disks: disks.map((disk, index) =>
      diskBus(disk) === "usb" ? { ...disk, address: place(disk.address, devicePath("disk", index)) } : disk,
    ),
    inputs: inputs.map((input, index) =>
      inputBus(input) !== "usb" || input.type === "evdev" || input.type === "passthrough"
        ? input
        : { ...input, address: place(input.address, devicePath("input", index)) },
    ),
    sounds: sounds.map((sound, index) =>
      sound.model === "usb" ? { ...sound, address: place(sound.address, devicePath("sound", index)) } : sound,
    ),
    serials: serials.map((serial, index) =>
      serial.target?.type === "usb-serial"
        ? { ...serial, address: place(serial.address, devicePath("serial", index)) }
        : serial,
    ),
  };
}

interface Ports {
  reserve(bus: number, port: string | undefined): void;
  take(wish: { readonly bus?: number; readonly port?: string } | undefined, path: string): UsbPlace;
}

function createPorts(controllers: readonly UsbController[]): Ports {
  const buses = controllers
    .filter(({ master }) => master === undefined)
    .map(({ index = 0, model, ports }) => {
      const isXhci = model === "nec-xhci" || model === "qemu-xhci";
      return {
        index,
        count: (isXhci ? ports : undefined) ?? PORTS.get(model) ?? 0,
        taken: new Set<string>(),
      };
    });
  const busOf = (number: number) => buses.find(({ index }) => index === number);
  return {
    reserve(bus, port) {
      if (port !== undefined) busOf(bus)?.taken.add(port);
    },
    take(wish, path) {
      const numbers = (count: number): string[] => [...Array(count).keys()].map((port) => String(port + 1));
      for (const { index, count, taken } of wish?.bus === undefined
        ? buses
        : buses.filter((bus) => bus.index === wish.bus)) {
        if (wish?.port !== undefined) return placeAt(path, { index, count }, wish.port);
        const port = numbers(count).find((free) => !taken.has(free));
        if (port === undefined) continue;
        taken.add(port);
        return { type: "usb", bus: index, port };
      }
      throw cannotTranslate(
        `${path}/address`,
        "there is no free USB port, and svirt does not add hubs",
        "Use <controller type='usb' model='qemu-xhci' ports='15'/>.",
      );
    },
  };
}

function placeAt(
  path: string,
  bus: { readonly index: number; readonly count: number },
  port: string,
): UsbPlace {
  if (/^\d+$/.test(port) && Number(port) >= 1 && Number(port) <= bus.count) {
    return { type: "usb", bus: bus.index, port };
  }
  const remedy = `Write a port from 1 to ${bus.count}, or leave the address out.`;
  throw cannotTranslate(`${path}/address/@port`, `USB bus ${bus.index} has no port ${port}`, remedy);
}
