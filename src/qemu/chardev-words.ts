import { listPorts, type Port } from "../domain/ports.ts";
import { controllerId, pciKeys, usbKeys } from "./device-bus.ts";
import { controllersOf, type Guest } from "./guest.ts";
import { fdsetPath, type Launch } from "./launch.ts";
import { cannotTranslate, devicePath } from "./refusal.ts";
import { jsonWords, keyValues, type Words } from "./words.ts";

/** A character device with its id: serial0, console1, channel0. */
export interface NamedPort {
  readonly id: string;
  readonly port: Port;
  readonly path: string;
}

/** The most bytes of a Unix socket's path. unix(7) */
const LONGEST_SOCKET_PATH = 107;

/** What the reference counts descriptors of its files from; the numbers mean nothing before a start. */
const FIRST_FDSET = 0;

/** -chardev and -device for serial ports, channels and consoles, in the reference's order. */
export function formatChardevs(guest: Guest, launch: Launch | undefined): Words {
  let fdset = FIRST_FDSET;
  return namePorts(guest).flatMap((named) => {
    const { chardev } = named.port;
    const backend = formatBackend(named, launch, fdset);
    if (chardev.type === "file") fdset += 1;
    return [...backend, ...formatFrontend(guest, named)];
  });
}

/** The character devices in the order of the command line, each with its id. qemuAssignDeviceChrAlias() of libvirt */
export function namePorts({ devices }: Guest): readonly NamedPort[] {
  const counts = new Map<string, number>();
  // With a serial port, the first console is that port under another name.
  if (devices.serials.length > 0) counts.set("console", 1);
  const named = listPorts(devices).map((port) => {
    const index = counts.get(port.device) ?? 0;
    counts.set(port.device, index + 1);
    return { id: port.chardev.alias ?? `${port.device}${index}`, port, path: devicePath(port.device, index) };
  });
  const order = ["serial", "channel", "console"];
  return named.toSorted((a, b) => order.indexOf(a.port.device) - order.indexOf(b.port.device));
}

/** Where QEMU listens for it in a real start: in the guest's own folder, whatever path the XML gives to people. */
export function socketPath(folder: string, id: string): string {
  const path = `${folder}/${id}.sock`;
  if (new TextEncoder().encode(path).length <= LONGEST_SOCKET_PATH) return path;
  throw cannotTranslate("/domain/devices", `the socket ${path} has too long a path`, "Use a shorter alias.");
}

function formatBackend({ id, port, path }: NamedPort, launch: Launch | undefined, fdset: number): Words {
  const { chardev } = port;
  switch (chardev.type) {
    case "pty":
      return ["-chardev", `pty,id=char${id}`];
    case "null":
      return ["-chardev", `null,id=char${id}`];
    case "file": {
      const { path: file } = chardev.source;
      const handed = launch?.descriptors.find((found) => found.path === file && found.access === "append");
      const set = handed === undefined ? `/dev/fdset/${fdset}` : fdsetPath(handed);
      const add = handed === undefined ? ["-add-fd", `set=${fdset},fd=${fdset + 3},opaque=${id}-source`] : [];
      return [...add, "-chardev", `file,id=char${id},path=${set},append=on`];
    }
    case "unix": {
      const mode = chardev.source?.mode ?? "bind";
      if (mode === "connect") {
        return [
          "-chardev",
          `socket,${keyValues([
            ["id", `char${id}`],
            ["path", requirePath(chardev.source?.path, path)],
          ])}`,
        ];
      }
      const listen = launch === undefined ? "fd=3" : keyValues([["path", socketPath(launch.folder, id)]]);
      return ["-chardev", `socket,id=char${id},${listen},server=on,wait=off`];
    }
  }
}

function requirePath(path: string | undefined, element: string): string {
  if (path !== undefined) return path;
  throw cannotTranslate(`${element}/source`, "it does not say what to connect to", "Write source/@path.");
}

function formatFrontend(guest: Guest, { id, port }: NamedPort): Words {
  const chardev = `char${id}`;
  switch (port.device) {
    case "serial":
      return formatSerial(guest, { id, port, chardev });
    case "console":
      return jsonWords("-device", { driver: "virtconsole", chardev, id });
    case "channel": {
      const { address, target } = port.chardev;
      const controller = controllersOf(guest.devices, "virtio-serial").find(
        ({ index }) => index === (address?.controller ?? 0),
      );
      const bus = `${controller === undefined ? "virtio-serial0" : controllerId(guest, controller)}.0`;
      return jsonWords("-device", {
        driver: "virtserialport",
        bus,
        nr: address?.port,
        chardev,
        id,
        name: target.name,
      });
    }
  }
}

interface SerialParts {
  readonly id: string;
  readonly port: Port & { readonly device: "serial" };
  readonly chardev: string;
}

function formatSerial(guest: Guest, { id, port, chardev }: SerialParts): Words {
  const { target, address } = port.chardev;
  const type = target?.type ?? "isa-serial";
  if (type === "pci-serial" && address?.type !== "usb" && address?.type !== "virtio-serial") {
    return jsonWords("-device", { driver: type, chardev, id, ...pciKeys(guest, address) });
  }
  if (type === "usb-serial" && address?.type === "usb") {
    return jsonWords("-device", { driver: type, chardev, id, ...usbKeys(guest, address) });
  }
  return jsonWords("-device", { driver: "isa-serial", chardev, id, index: Number(target?.port ?? 0) });
}
