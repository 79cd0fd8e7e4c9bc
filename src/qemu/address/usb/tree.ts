import type { Hub } from "../../../domain/devices/hub.ts";
import type { ControllerOf } from "../../model/guest.ts";
import { cannotTranslate } from "../../refusal.ts";

/** A place on a USB bus: the controller's index and the port, "1" or "1.2" behind a hub. */
export interface UsbPlace {
  readonly type: "usb";
  readonly bus: number;
  readonly port: string;
}

type UsbController = ControllerOf<"usb">;

/** A controller or a hub, with its ports. */
interface Node {
  readonly count: number;
  readonly taken: Set<number>;
  readonly hubs: Map<number, Node>;
}

/** The USB ports of a guest during their assignment. */
export interface UsbTree {
  /** Reserves a port of the XML. Throws "unsupported" if it is occupied or does not exist. */
  reserve(place: { readonly bus: number; readonly port: string }, path: string): void;
  /** Assigns the first free port, of the given bus or of any. Throws "unsupported" if none is free. */
  take(bus: number | undefined, path: string): UsbPlace;
  /** Adds the ports of a hub. */
  addHub(place: UsbPlace): void;
}

/** Ports of QEMU's hub. VIR_DOMAIN_USB_HUB_PORTS */
export const HUB_PORTS = 8;

/** Greatest depth of a port. VIR_DOMAIN_DEVICE_USB_MAX_PORT_DEPTH */
const DEEPEST = 4;

/** Ports of each controller; a companion shares its master's. virDomainUSBAddressControllerModelToPorts() */
const PORTS: ReadonlyMap<UsbController["model"], number> = new Map([
  ["piix3-uhci", 2],
  ["piix4-uhci", 2],
  ["ehci", 6],
  ["ich9-ehci1", 6],
  ["pci-ohci", 3],
  ["nec-xhci", 4],
  ["qemu-xhci", 4],
]);

/** Returns the number of ports for devices; 0 for a companion. */
export function countPorts({ model, ports, master }: UsbController): number {
  if (master !== undefined) return 0;
  const isXhci = model === "nec-xhci" || model === "qemu-xhci";
  return (isXhci ? ports : undefined) ?? PORTS.get(model) ?? 0;
}

/**
 * Returns the free ports of these controllers; addHub() adds the ports of hubs.
 * virDomainUSBAddressSetAddControllers()
 */
export function createUsbTree(controllers: readonly UsbController[]): UsbTree {
  const buses = controllers
    .filter(({ master }) => master === undefined)
    .map((found) => ({ index: found.index ?? 0, root: newNode(countPorts(found)) }))
    .toSorted((a, b) => a.index - b.index);
  const rootOf = (bus: number, path: string): Node => {
    const root = buses.find(({ index }) => index === bus)?.root;
    if (root !== undefined && root.count > 0) return root;
    throw cannotTranslate(
      `${path}/address/@bus`,
      `the guest has no USB bus ${bus}`,
      "Add the controller of that bus.",
    );
  };
  return {
    reserve({ bus, port }, path) {
      const numbers = port.split(".").map(Number);
      const last = numbers.pop() ?? 0;
      const instance = numbers.reduce<Node | undefined>(
        (at, number) => at?.hubs.get(number),
        rootOf(bus, path),
      );
      if (instance === undefined || last < 1 || last > instance.count) {
        const why = `USB bus ${bus} has no port ${port}`;
        throw cannotTranslate(`${path}/address/@port`, why, "Write another port, or leave the address out.");
      }
      if (instance.taken.has(last)) {
        const why = `port ${port} of USB bus ${bus} is in use`;
        throw cannotTranslate(`${path}/address/@port`, why, "Give each device its own port.");
      }
      instance.taken.add(last);
    },
    take(bus, path) {
      const wanted = bus === undefined ? buses : [{ index: bus, root: rootOf(bus, path) }];
      for (const { index, root } of wanted) {
        const port = takeFree(root, 1);
        if (port !== undefined) return { type: "usb", bus: index, port };
      }
      const remedy = "Use <controller type='usb' model='qemu-xhci' ports='15'/>.";
      throw cannotTranslate(`${path}/address`, "no USB port is free", remedy);
    },
    addHub({ bus, port }) {
      const numbers = port.split(".").map(Number);
      const last = numbers.pop() ?? 0;
      const root = buses.find(({ index }) => index === bus)?.root;
      const instance = numbers.reduce<Node | undefined>((at, number) => at?.hubs.get(number), root);
      instance?.hubs.set(last, newNode(HUB_PORTS));
    },
  };
}

/** Returns the hubs by depth, nearest to the controller first: a hub follows its parent. */
export function byDepth(hubs: readonly Hub[]): readonly Hub[] {
  const depth = ({ address }: Hub): number => (address?.port ?? "").split(".").length;
  return hubs.toSorted((a, b) => depth(a) - depth(b));
}

function newNode(count: number): Node {
  return { count, taken: new Set(), hubs: new Map() };
}

/**
 * Assigns the first free port of the node or, if none is free, of the hubs behind it.
 * virDomainUSBAddressFindFreePort()
 */
function takeFree({ count, taken, hubs }: Node, level: number): string | undefined {
  const numbers = [...Array(count).keys()].map((at) => at + 1);
  const free = numbers.find((number) => !taken.has(number));
  if (free !== undefined) {
    taken.add(free);
    return String(free);
  }
  if (level >= DEEPEST) return undefined;
  for (const number of numbers) {
    const hub = hubs.get(number);
    const behind = hub && takeFree(hub, level + 1);
    if (behind !== undefined) return `${number}.${behind}`;
  }
  return undefined;
}
