import { isVirtio, type NetworkInterface } from "../domain/network-interface.ts";
import type { Guest } from "./guest.ts";

import { cannotTranslate, notSettled } from "./refusal.ts";
import { refuseUnsharedMemory } from "./shared-memory.ts";

/** What no QEMU can do, or does otherwise than the XML says. */
interface Rule {
  readonly place: string;
  readonly why: string;
  readonly remedy: string;
  /** The domain is a good one, and its words depend on the host. */
  readonly isUnsettled?: true;
  isBroken(found: NetworkInterface, guest: Guest): boolean;
}

const TAPS: readonly string[] = ["network", "bridge", "ethernet", "direct"];
const isTap = ({ type }: NetworkInterface): boolean => TAPS.includes(type);
const isPasst = ({ backend }: NetworkInterface): boolean => backend?.type === "passt";
const LEAVE_OUT = "Leave it out.";

/** qemuValidateDomainDeviceDefNetwork() and virDomainNetDefValidate() of libvirt */
const RULES: readonly Rule[] = [
  {
    place: "mac",
    why: "it has no address yet",
    remedy: "Write <mac address='52:54:00:…'/>; svirt define does so by itself.",
    isBroken: ({ mac }) => mac === undefined,
  },
  {
    place: "script",
    why: "only an interface of type ethernet runs scripts",
    remedy: LEAVE_OUT,
    isBroken: ({ type, script, downscript }) =>
      type !== "ethernet" && (script !== undefined || downscript !== undefined),
  },
  {
    place: "backend/@type",
    why: "passt is for types user and vhostuser",
    remedy: LEAVE_OUT,
    isBroken: (found) => isPasst(found) && found.type !== "user" && found.type !== "vhostuser",
  },
  {
    place: "backend/@tap",
    why: "only an interface with a tap has its path",
    remedy: LEAVE_OUT,
    isBroken: (found) =>
      !isTap(found) && (found.backend?.tap !== undefined || found.backend?.vhost !== undefined),
  },
  {
    place: "backend/@logFile",
    why: "only passt writes a log",
    remedy: LEAVE_OUT,
    isBroken: (found) => found.backend?.logFile !== undefined && !isPasst(found),
  },
  {
    place: "portForward",
    why: "only passt forwards ports",
    remedy: "Write <backend type='passt'/>, or leave it out.",
    isBroken: (found) => "portForwards" in found && found.portForwards.length > 0 && !isPasst(found),
  },
  {
    place: "source",
    why: "only passt is told a device of the host",
    remedy: "Write <backend type='passt'/>, or leave it out.",
    isBroken: (found) => found.type === "user" && found.source !== undefined && !isPasst(found),
  },
  {
    place: "ip",
    why: "only user networks give guests an address, one of each family",
    remedy: LEAVE_OUT,
    isBroken: (found) => {
      const families = found.ips.map(({ address }) => address.includes(":"));
      const isUser = found.type === "user" || isPasst(found);
      return families.length > 0 && (!isUser || new Set(families).size < families.length);
    },
  },
  {
    place: "ip/@peer",
    why: "a guest's address has no peer",
    remedy: LEAVE_OUT,
    isBroken: ({ ips }) => ips.some(({ peer }) => peer !== undefined),
  },
  {
    place: "route",
    why: "QEMU gives guests no routes",
    remedy: LEAVE_OUT,
    isBroken: ({ routes }) => routes.length > 0,
  },
  {
    place: "source/@path",
    why: "it does not say where the other program listens",
    remedy: "Write type='unix', path='…' and mode='client' there.",
    isBroken: (found) =>
      found.type === "vhostuser" &&
      !isPasst(found) &&
      (found.source?.path === undefined || found.source.mode === undefined),
  },
  {
    place: "source/reconnect",
    why: "it is for who connects",
    remedy: "Write mode='client'.",
    isBroken: (found) =>
      found.type === "vhostuser" && found.source?.reconnect !== undefined && found.source.mode === "server",
  },
  {
    place: "model",
    why: "another program can serve a virtio interface alone",
    remedy: "Write <model type='virtio'/>.",
    isBroken: (found) => (found.type === "vhostuser" || found.type === "vdpa") && !isVirtio(found),
  },
  {
    place: "driver/@name",
    why: "vhost is for a virtio interface with a tap",
    remedy: LEAVE_OUT,
    isBroken: (found) =>
      found.type !== "hostdev" && found.driver?.name === "vhost" && isTap(found) && !isVirtio(found),
  },
  {
    place: "driver/@queues",
    why: "only a virtio interface with a tap, or of another program, has several queues",
    remedy: LEAVE_OUT,
    isBroken: (found) =>
      found.type !== "hostdev" &&
      (found.driver?.queues ?? 1) > 1 &&
      (!isVirtio(found) || !(isTap(found) || found.type === "vhostuser" || found.type === "vdpa")),
  },
  {
    place: "driver/@rx_queue_size",
    why: "it is a power of two",
    remedy: "Write 256, 512 or 1024.",
    isBroken: (found) => found.type !== "hostdev" && !isPowerOfTwo(found.driver?.rxQueueSize),
  },
  {
    place: "driver/@tx_queue_size",
    why: "it is a power of two",
    remedy: "Write 256, 512 or 1024.",
    isBroken: (found) => found.type !== "hostdev" && !isPowerOfTwo(found.driver?.txQueueSize),
  },
  {
    place: "mtu",
    why: "only an interface with a tap, of a vhost-user program or of vdpa has its size",
    remedy: LEAVE_OUT,
    isBroken: (found) =>
      found.mtu !== undefined && !isTap(found) && found.type !== "vhostuser" && found.type !== "vdpa",
  },
  {
    place: "tune/sndbuf",
    why: "only an interface with a tap has one",
    remedy: LEAVE_OUT,
    isBroken: (found) => found.tune?.sndbuf !== undefined && !isTap(found),
  },
  {
    place: "teaming",
    why: "what stands in is a virtio interface, and what goes away is a device of the host",
    remedy: "Write type='persistent' for a virtio interface, type='transient' for type='hostdev'.",
    isBroken: (found) =>
      found.teaming !== undefined &&
      (found.teaming.type === "persistent" ? !isVirtio(found) : !["hostdev", "network"].includes(found.type)),
  },
  {
    place: "source/@network",
    isUnsettled: true,
    why: "svirt does not look up which device of the host the network gives",
    remedy: "Write type='hostdev' and the device's address.",
    isBroken: ({ teaming, type }) => type === "network" && teaming?.type === "transient",
  },
  {
    place: "virtualport",
    why: "a plain interface has none",
    remedy: LEAVE_OUT,
    isBroken: ({ type, virtualport }) =>
      virtualport !== undefined && !["network", "bridge", "direct", "hostdev"].includes(type),
  },
  {
    place: "acpi",
    why: "only a PCI device has such a number",
    remedy: "Leave it out.",
    isBroken: ({ acpi, model }) => acpi !== undefined && model?.type === "usb-net",
  },
  {
    place: "address/@type",
    why: "it is not an address for this model",
    remedy: "Leave the address out.",
    isBroken: ({ address, model }) => address?.type === "usb" && model?.type !== "usb-net",
  },
];

/** Throws "unsupported" for an interface that QEMU could not give to the guest as the XML says. */
export function refuseInterface(guest: Guest, found: NetworkInterface, path: string): void {
  if (found.type === "vhostuser") refuseUnsharedMemory(guest, `${path}/@type`);
  const rule = RULES.find((candidate) => candidate.isBroken(found, guest));
  if (rule === undefined) return;
  const refusal = rule.isUnsettled === true ? notSettled : cannotTranslate;
  throw refusal(`${path}/${rule.place}`, rule.why, rule.remedy);
}

function isPowerOfTwo(size: number | undefined): boolean {
  return size === undefined || Number.isInteger(Math.log2(size));
}
