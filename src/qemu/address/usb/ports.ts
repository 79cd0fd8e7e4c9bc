import { diskBus } from "../../../domain/devices/disk/facts.ts";
import type { Hub } from "../../../domain/devices/hub.ts";
import type { Devices } from "../../../domain/devices.ts";
import { inputBus } from "../../default-devices.ts";
import { controllersOf } from "../../model/guest.ts";
import { cannotTranslate, devicePath } from "../../refusal.ts";
import { byDepth, countPorts, createUsbTree, HUB_PORTS, type UsbPlace, type UsbTree } from "./tree.ts";

/** A device on USB, and its requested bus and port. */
interface UsbDevice {
  readonly device: object;
  readonly path: string;
  readonly requested: { readonly bus?: number; readonly port?: string } | undefined;
}

/**
 * Assigns a port to each USB device, in libvirt's order, and adds hubs if there are too few ports.
 * qemuDomainAssignUSBAddresses() of libvirt. Throws "unsupported" when none is left.
 */
export function placeUsb(written: Devices): Devices {
  const devices = addHubs(written);
  const tree = createUsbTree(controllersOf(devices, "usb"));
  const listed = listUsb(devices);
  const hubs = placeHubs(devices.hubs, listed, tree);
  const places = new Map<object, UsbPlace>();
  for (const { device, requested, path } of listed) {
    if (requested?.port !== undefined)
      places.set(device, { type: "usb", bus: requested.bus ?? 0, port: requested.port });
    else places.set(device, tree.take(requested?.bus, path));
  }
  const placed = <D extends object>(family: readonly D[]): D[] =>
    family.map((device) => {
      const address = places.get(device);
      return address === undefined ? device : { ...device, address };
    });
  return {
    ...devices,
    hubs,
    hostdevs: placed(devices.hostdevs),
    disks: placed(devices.disks),
    interfaces: placed(devices.interfaces),
    controllers: placed(devices.controllers),
    inputs: placed(devices.inputs),
    serials: placed(devices.serials),
    sounds: placed(devices.sounds),
    redirdevs: placed(devices.redirdevs),
  };
}

/** qemuDomainUSBAddressAddHubs() of libvirt */
function addHubs(devices: Devices): Devices {
  const usb = controllersOf(devices, "usb");
  const ports = usb.reduce((sum, found) => sum + countPorts(found), devices.hubs.length * HUB_PORTS);
  const count = listUsb(devices).length + devices.hubs.length;
  if (count > 0 && usb.some(({ model }) => model === "none")) {
    const remedy = "Remove model='none', or the devices on USB.";
    throw cannotTranslate("/domain/devices", "USB is off, and the guest has USB devices", remedy);
  }
  // A hub occupies a port and has eight.
  const needed = count > ports ? Math.ceil((count - ports + 1) / (HUB_PORTS - 1)) : 0;
  const hubs = [...Array(needed).keys()].map((): Hub => ({ type: "usb" }));
  return { ...devices, hubs: [...devices.hubs, ...hubs] };
}

/** Reserves all ports of the XML, then assigns a port to each hub without a port. */
function placeHubs(hubs: readonly Hub[], listed: readonly UsbDevice[], tree: UsbTree): readonly Hub[] {
  const pathOf = (hub: Hub): string => devicePath("hub", hubs.indexOf(hub));
  for (const hub of byDepth(hubs)) {
    const { bus = 0, port } = hub.address ?? {};
    if (port === undefined) continue;
    tree.reserve({ bus, port }, pathOf(hub));
    tree.addHub({ type: "usb", bus, port });
  }
  for (const { requested, path } of listed) {
    if (requested?.port !== undefined) tree.reserve({ bus: requested.bus ?? 0, port: requested.port }, path);
  }
  return hubs.map((hub) => {
    if (hub.address?.port !== undefined) return hub;
    const address = tree.take(hub.address?.bus, pathOf(hub));
    tree.addHub(address);
    return { ...hub, address };
  });
}

/** Lists the USB devices except hubs, in libvirt's order. virDomainUSBDeviceDefForeach() */
function listUsb(devices: Devices): readonly UsbDevice[] {
  const { hostdevs, disks, interfaces, controllers, inputs, serials, sounds, redirdevs } = devices;
  const list = <D extends object>(element: string, family: readonly D[], isUsb: (device: D) => boolean) =>
    family.flatMap((device, index): UsbDevice[] =>
      isUsb(device) ? [{ device, path: devicePath(element, index), requested: requestedPort(device) }] : [],
    );
  return [
    ...list("hostdev", hostdevs, ({ type }) => type === "usb"),
    ...list("disk", disks, (disk) => diskBus(disk) === "usb"),
    ...list("interface", interfaces, ({ model }) => model?.type === "usb-net"),
    ...list("controller", controllers, ({ type }) => type === "ccid"),
    ...list("input", inputs, (input) => inputBus(input) === "usb"),
    ...list("serial", serials, ({ target }) => target?.type === "usb-serial"),
    ...list("sound", sounds, ({ model }) => model === "usb"),
    ...list("redirdev", redirdevs, () => true),
  ];
}

function requestedPort(device: object): UsbDevice["requested"] {
  if (!("address" in device) || typeof device.address !== "object") return undefined;
  const address: { readonly type?: string; readonly bus?: number; readonly port?: string } | null =
    device.address;
  return address?.type === "usb" ? address : undefined;
}
