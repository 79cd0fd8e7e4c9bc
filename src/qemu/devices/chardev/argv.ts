import type { Channel, ConsoleDevice, Serial } from "../../../domain/devices/chardev.ts";
import { listPorts, type Port } from "../../../domain/ports.ts";
import { type Arguments, jsonArguments } from "../../argument/argument.ts";
import { controllerId, pciKeys, usbKeys } from "../../argument/bus-properties.ts";
import type { Launch } from "../../launch.ts";
import { controllersOf, type Guest } from "../../model/guest.ts";
import { cannotTranslate, devicePath } from "../../refusal.ts";
import { countDescriptors, formatBackend } from "./backend.ts";

/** A character device with its id: serial0, console1, channel0. */
export interface NamedPort {
  readonly id: string;
  readonly port: Port;
  readonly path: string;
}

/** -chardev and -device for serial and parallel ports, channels and consoles, in libvirt's order. */
export function formatChardevs(guest: Guest, launch: Launch | undefined): Arguments {
  let fdset = 0;
  return namePorts(guest).flatMap((named) => {
    const { chardev } = named.port;
    const backend = formatBackend({ ...named, chardev }, launch, fdset);
    fdset += countDescriptors(chardev);
    return [...backend, ...formatFrontend(guest, named)];
  });
}

/**
 * Lists the character devices in the order of the command line, with their ids. qemuAssignDeviceChrAlias() of
 * libvirt
 */
export function namePorts({ devices }: Guest): readonly NamedPort[] {
  const counts = new Map<string, number>();
  // With a serial port, the first console is an alias of the port.
  if (devices.serials.length > 0) counts.set("console", 1);
  const named = listPorts(devices).map((port) => {
    const index = counts.get(port.device) ?? 0;
    counts.set(port.device, index + 1);
    return { id: port.chardev.alias ?? `${port.device}${index}`, port, path: devicePath(port.device, index) };
  });
  const order = ["serial", "parallel", "channel", "console"];
  return named.toSorted((a, b) => order.indexOf(a.port.device) - order.indexOf(b.port.device));
}

function formatFrontend(guest: Guest, { id, path, port }: NamedPort): Arguments {
  const chardev = `char${id}`;
  refuseOtherSpice(guest, port, path);
  switch (port.device) {
    case "serial":
      return formatSerial(guest, { id, path, device: port.chardev });
    case "parallel":
      return jsonArguments("-device", { driver: "isa-parallel", chardev, id });
    case "console":
      return jsonArguments("-device", {
        driver: "virtconsole",
        ...serialBusKeys(guest, port.chardev.address),
        chardev,
        id,
      });
    case "channel":
      return formatChannel(guest, id, port.chardev);
  }
}

// qemuValidateDomainChrSourceDef() and qemuValidateDomainChrDef() of libvirt
function refuseOtherSpice(guest: Guest, { device, chardev }: Port, path: string): void {
  if (chardev.type !== "spicevmc" && chardev.type !== "spiceport") return;
  if (!guest.devices.graphics.some(({ type }) => type === "spice")) {
    throw cannotTranslate(
      `${path}/@type`,
      "the guest has no SPICE display",
      "Write <graphics type='spice'/>.",
    );
  }
  if (device !== "channel" || chardev.type !== "spicevmc" || chardev.target.type !== "virtio") return;
  const { name = SPICE_AGENT } = chardev.target;
  if (name === SPICE_AGENT) return;
  throw cannotTranslate(
    `${path}/target/@name`,
    `the name of SPICE's agent must be ${SPICE_AGENT}`,
    "Write that name.",
  );
}

const SPICE_AGENT = "com.redhat.spice.0";

function formatChannel(guest: Guest, id: string, { address, target, type }: Channel): Arguments {
  const chardev = `char${id}`;
  if (target.type === "guestfwd") {
    const str = `tcp:${target.address}:${target.port}-chardev:${chardev}`;
    return jsonArguments("-netdev", { type: "user", guestfwd: [{ str }], id });
  }
  return jsonArguments("-device", {
    driver: "virtserialport",
    ...serialBusKeys(guest, address),
    chardev,
    id,
    // libvirt has no default name for qemu-vdagent. qemuBuildVirtioSerialPortDevProps() of libvirt
    name: target.name ?? (type === "spicevmc" ? SPICE_AGENT : undefined),
  });
}

type SerialBusAddress = Channel["address"] | ConsoleDevice["address"];

/** Returns the keys for a port of a virtio-serial controller, `"bus":"virtio-serial0.0","nr":1`. */
export function serialBusKeys(
  guest: Guest,
  address: SerialBusAddress,
): { readonly bus?: string; readonly nr?: number } {
  if (address?.type !== "virtio-serial") return {};
  const { controller = 0, port } = address;
  const found = controllersOf(guest.devices, "virtio-serial").find(({ index }) => index === controller);
  const name = found === undefined ? `virtio-serial${controller}` : controllerId(guest, found);
  return { bus: `${name}.0`, ...(port === undefined ? {} : { nr: port }) };
}

interface NamedSerial {
  readonly id: string;
  readonly path: string;
  readonly device: Serial | ConsoleDevice;
}

// qemuBuildSerialChrDeviceProps() of libvirt
function formatSerial(guest: Guest, { device, id, path }: NamedSerial): Arguments {
  const { target, address } = device;
  const chardev = `char${id}`;
  const type = target?.type ?? "isa-serial";
  const wanted = SERIAL_ADDRESSES.get(type);
  if (address !== undefined && address.type !== wanted) {
    throw cannotTranslate(
      `${path}/address/@type`,
      `a ${type} does not have an address of this type`,
      "Leave the address out.",
    );
  }
  if (type === "pci-serial" && address?.type === "pci") {
    return jsonArguments("-device", { driver: type, chardev, id, ...pciKeys(guest, address) });
  }
  if (type === "usb-serial" && address?.type === "usb") {
    return jsonArguments("-device", { driver: type, chardev, id, ...usbKeys(guest, address) });
  }
  // irq 0 means none and is omitted; iobase 0 is written. qemuBuildDeviceAddressProps() of libvirt
  const isa = address?.type === "isa" ? { iobase: address.iobase ?? 0, irq: address.irq || undefined } : {};
  if (type === "isa-debug") return jsonArguments("-device", { driver: "isa-debugcon", chardev, id, ...isa });
  const index = Number(target?.port ?? 0);
  return jsonArguments("-device", { driver: "isa-serial", chardev, id, index, ...isa });
}

/** Address type by type of serial port. A serial console has the type of its port. */
const SERIAL_ADDRESSES: ReadonlyMap<string, string> = new Map([
  ["isa-serial", "isa"],
  ["serial", "isa"],
  ["isa-debug", "isa"],
  ["pci-serial", "pci"],
  ["usb-serial", "usb"],
]);
