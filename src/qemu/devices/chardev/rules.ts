import type { Serial } from "../../../domain/devices/chardev.ts";
import type { Devices } from "../../../domain/devices.ts";
import { controllersOf, type Guest } from "../../model/guest.ts";
import { cannotTranslate, devicePath } from "../../refusal.ts";
import { listWrittenPorts, MOST_PORTS } from "./virtio-serial.ts";

/** Refuses ports that QEMU cannot provide as the XML describes them. Throws "unsupported". */
export function refusePorts({ domain: { devices } }: Guest): void {
  for (const [index, serial] of devices.serials.entries()) refuseSerial(devices, serial, index);
  refuseFarPorts(devices);
  refuseOtherSpice(devices);
}

type SerialType = NonNullable<NonNullable<Serial["target"]>["type"]>;

/** Address type and model of each type of serial port. */
const KINDS: Readonly<Record<SerialType, { readonly address: string; readonly model: string }>> = {
  "isa-serial": { address: "isa", model: "isa-serial" },
  "isa-debug": { address: "isa", model: "isa-debugcon" },
  "pci-serial": { address: "pci", model: "pci-serial" },
  "usb-serial": { address: "usb", model: "usb-serial" },
};

const MOST_ISA_PORTS = 4;

// qemuValidateDomainChrTargetDef() and virDomainChrIsaSerialDefPostParse() of libvirt
function refuseSerial({ serials }: Devices, { address, target }: Serial, index: number): void {
  const path = devicePath("serial", index);
  const type = target?.type ?? "isa-serial";
  const kind = KINDS[type];
  if (address !== undefined && address.type !== kind.address) {
    throw cannotTranslate(
      `${path}/address/@type`,
      `a ${type} does not have an address of this type`,
      "Leave the address out.",
    );
  }
  if (target?.model !== undefined && target.model.name !== kind.model) {
    throw cannotTranslate(
      `${path}/target/model`,
      `${target.model.name} is not the model of ${type}`,
      "Remove <model>.",
    );
  }
  if (type !== "isa-serial") return;
  const before = serials.slice(0, index).filter((other) => (other.target?.type ?? type) === type);
  if (before.length >= MOST_ISA_PORTS) {
    throw cannotTranslate(path, `ISA has only ${MOST_ISA_PORTS} serial ports`, "Write type='pci-serial'.");
  }
  if (target?.port === undefined || !before.some((other) => other.target?.port === target.port)) return;
  throw cannotTranslate(`${path}/target/@port`, "another serial port has this number", "Write another port.");
}

// virDomainVirtioSerialAddrReserve() of libvirt: "virtio serial controller %u does not have port %u". libvirt
// gives QEMU the bus of a port with a number, and QEMU has none but 0. It chooses the bus of a port without a
// number.
function refuseFarPorts(devices: Devices): void {
  for (const { bus, controller, port, path } of listWrittenPorts(devices)) {
    if (bus !== 0 && port !== 0) {
      throw cannotTranslate(`${path}/@bus`, `controller ${controller} has no bus but 0`, "Write bus='0'.");
    }
    const found = controllersOf(devices, "virtio-serial").find((candidate) => candidate.index === controller);
    if (port < (found?.ports ?? MOST_PORTS)) continue;
    const why = `controller ${controller} has no port ${port}`;
    throw cannotTranslate(`${path}/@port`, why, "Write a smaller number, or give the controller more ports.");
  }
}

// qemuValidateDomainChrSourceDef() of libvirt
function refuseOtherSpice({ graphics, redirdevs, smartcards }: Devices): void {
  if (graphics.some(({ type }) => type === "spice")) return;
  for (const [element, family] of [
    ["redirdev", redirdevs],
    ["smartcard", smartcards],
  ] as const) {
    const index = family.findIndex(({ type }) => type === "spicevmc" || type === "spiceport");
    if (index === -1) continue;
    const path = `${devicePath(element, index)}/@type`;
    throw cannotTranslate(path, "the guest has no SPICE display", "Write <graphics type='spice'/>.");
  }
}
