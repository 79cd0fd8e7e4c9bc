import { isVirtio } from "../../../domain/devices/is-virtio.ts";
import type { NetworkInterface } from "../../../domain/devices/network/interface.ts";
import { type Rule, refuseBroken } from "../../argument/rule.ts";
import { refuseUnsharedMemory } from "../../machine/refuse-unshared-memory.ts";
import type { Guest } from "../../model/guest.ts";
import { hasOwnParameters } from "./switch-parameters.ts";

const TAPS: readonly string[] = ["network", "bridge", "ethernet", "direct"];
const isTap = ({ type }: NetworkInterface): boolean => TAPS.includes(type);
/** Whether the interface has a tap other than macvtap. */
const isPlainTap = (found: NetworkInterface): boolean => isTap(found) && found.type !== "direct";
const isPasst = ({ backend }: NetworkInterface): boolean => backend?.type === "passt";
const LEAVE_OUT = "Leave it out.";

/**
 * Rules for interfaces. qemuValidateDomainDeviceDefNetwork(), virDomainNetDefValidate() and
 * virDomainActualNetDefValidate() of libvirt
 */
const RULES: readonly Rule<NetworkInterface>[] = [
  {
    place: "mac",
    why: "the MAC address is missing",
    remedy: "Write <mac address='52:54:00:…'/>, or let svirt define choose one.",
    isBroken: ({ mac }) => mac === undefined,
  },
  {
    place: "script",
    why: "only an interface of type ethernet can have scripts",
    remedy: LEAVE_OUT,
    isBroken: ({ type, script, downscript }) =>
      type !== "ethernet" && (script !== undefined || downscript !== undefined),
  },
  {
    place: "backend/@type",
    why: "passt requires the type user or vhostuser",
    remedy: LEAVE_OUT,
    isBroken: (found) => isPasst(found) && found.type !== "user" && found.type !== "vhostuser",
  },
  {
    place: "backend/@tap",
    why: "only an interface with a tap has the paths of tap and vhost",
    remedy: LEAVE_OUT,
    isBroken: (found) =>
      (found.backend?.tap !== undefined && !isPlainTap(found)) ||
      (found.backend?.vhost !== undefined && !isTap(found)),
  },
  {
    place: "filterref",
    why: "only a tap without a virtual port can have a packet filter",
    remedy: LEAVE_OUT,
    isBroken: (found) =>
      found.filterref !== undefined && (!isPlainTap(found) || found.virtualport?.type !== undefined),
  },
  {
    place: "backend/@logFile",
    why: "only passt has a log file",
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
    why: "only passt uses a host device",
    remedy: "Write <backend type='passt'/>, or leave it out.",
    isBroken: (found) => found.type === "user" && found.source !== undefined && !isPasst(found),
  },
  {
    place: "ip",
    why: "only user networks have addresses, one for each family",
    remedy: LEAVE_OUT,
    isBroken: (found) => {
      const families = found.ips.map(({ address }) => address.includes(":"));
      const isUser = found.type === "user" || isPasst(found);
      return families.length > 0 && (!isUser || new Set(families).size < families.length);
    },
  },
  {
    place: "ip/@family",
    why: "the address is of the other family",
    remedy: "Write family='ipv4' for 10.0.2.0 and family='ipv6' for fd00::, or leave it out.",
    isBroken: ({ ips }) =>
      ips.some(
        ({ address, family }) => family !== undefined && (family === "ipv6") !== address.includes(":"),
      ),
  },
  {
    place: "ip/@prefix",
    why: "a user network has a prefix of 4 to 27 bits for IPv4 and 64 bits for IPv6",
    remedy: "Write such a prefix, or leave it out.",
    isBroken: ({ ips }) =>
      ips.some(({ address, prefix = 0 }) => prefix > 0 && !isUserPrefix(address, prefix)),
  },
  {
    place: "ip/@peer",
    why: "a guest's address has no peer",
    remedy: LEAVE_OUT,
    isBroken: ({ ips }) => ips.some(({ peer }) => peer !== undefined),
  },
  {
    place: "route",
    why: "QEMU does not set routes in guests",
    remedy: LEAVE_OUT,
    isBroken: ({ routes }) => routes.length > 0,
  },
  {
    place: "source/@path",
    why: "the path or the mode of the vhost-user socket is missing",
    remedy: "Write type='unix', path='…' and mode='client' there.",
    isBroken: (found) =>
      found.type === "vhostuser" &&
      !isPasst(found) &&
      (found.source?.path === undefined || found.source.mode === undefined),
  },
  {
    place: "source/reconnect",
    why: "only a client can reconnect",
    remedy: "Write mode='client'.",
    isBroken: (found) =>
      found.type === "vhostuser" && found.source?.reconnect !== undefined && found.source.mode === "server",
  },
  {
    place: "model",
    why: "a vhost-user or vDPA interface requires the model virtio",
    remedy: "Write <model type='virtio'/>.",
    isBroken: (found) =>
      (found.type === "vhostuser" && !isVirtio(found)) ||
      (found.type === "vdpa" && found.model?.type !== "virtio"),
  },
  {
    place: "driver/@name",
    why: "vhost requires the model virtio",
    remedy: LEAVE_OUT,
    isBroken: (found) =>
      found.type !== "hostdev" && found.driver?.name === "vhost" && isTap(found) && !isVirtio(found),
  },
  {
    place: "driver/@queues",
    why: "only a virtio interface with a tap, of type vhostuser or of type vdpa can have several queues",
    remedy: LEAVE_OUT,
    isBroken: (found) => {
      if (found.type === "hostdev" || found.driver?.queues === undefined) return false;
      // libvirt ignores the queues of another model: it has a single queue.
      if (!isVirtio(found)) return found.driver.queues > 1;
      return !(isTap(found) || found.type === "vhostuser" || found.type === "vdpa");
    },
  },
  {
    place: "driver/@rx_queue_size",
    why: "it must be a power of two",
    remedy: "Write 256, 512 or 1024.",
    isBroken: (found) => found.type !== "hostdev" && !isPowerOfTwo(found.driver?.rxQueueSize),
  },
  {
    place: "driver/@tx_queue_size",
    why: "it must be a power of two",
    remedy: "Write 256, 512 or 1024.",
    isBroken: (found) => found.type !== "hostdev" && !isPowerOfTwo(found.driver?.txQueueSize),
  },
  {
    place: "mtu",
    why: "only a tap, passt, a vhost-user or a vDPA interface has an MTU",
    remedy: LEAVE_OUT,
    isBroken: (found) =>
      found.mtu !== undefined &&
      !isPlainTap(found) &&
      !isPasst(found) &&
      found.type !== "vhostuser" &&
      found.type !== "vdpa",
  },
  {
    place: "tune/sndbuf",
    why: "only an interface with a tap has a send buffer",
    remedy: LEAVE_OUT,
    isBroken: (found) => found.tune?.sndbuf !== undefined && !isTap(found),
  },
  {
    place: "teaming",
    why: "the persistent interface must have the model virtio, and the transient one must be a host device",
    remedy: "Write type='persistent' for a virtio interface, type='transient' for type='hostdev'.",
    isBroken: (found) =>
      found.teaming !== undefined &&
      (found.teaming.type === "persistent" ? !isVirtio(found) : !["hostdev", "network"].includes(found.type)),
  },
  {
    place: "source/@network",
    isUndecided: "until-start",
    why: "the network's host device is known only at a start",
    remedy: "Write type='hostdev' and the device's address.",
    isBroken: ({ teaming, type }) => type === "network" && teaming?.type === "transient",
  },
  {
    place: "coalesce",
    why: "only an interface on a bridge or a network can coalesce packets",
    remedy: LEAVE_OUT,
    isBroken: ({ coalesce, type }) => coalesce !== undefined && !isBridged(type),
  },
  {
    place: "target/@managed",
    why: "only an interface of type ethernet can use an existing device",
    remedy: LEAVE_OUT,
    isBroken: ({ target, type }) => target?.managed === false && type !== "ethernet",
  },
  {
    place: "port/@isolated",
    why: "only a port of a Linux bridge can be isolated",
    remedy: LEAVE_OUT,
    isBroken: ({ port, type, virtualport }) =>
      port?.isolated === true && (!isBridged(type) || virtualport?.type !== undefined),
  },
  {
    place: "vlan",
    why: "only an interface on a bridge or a network, or a passed-through device, can have a VLAN",
    remedy: LEAVE_OUT,
    isBroken: (found) => found.vlan !== undefined && !canHaveVlan(found),
  },
  {
    place: "bandwidth",
    why: "the host cannot limit the traffic of a passed-through device",
    remedy: LEAVE_OUT,
    isBroken: ({ bandwidth, type }) => bandwidth !== undefined && type === "hostdev",
  },
  {
    place: "bandwidth/inbound/@floor",
    why: "only an interface of type network can have a guaranteed bandwidth",
    remedy: LEAVE_OUT,
    isBroken: ({ bandwidth, type }) => bandwidth?.inbound?.floor !== undefined && type !== "network",
  },
  {
    place: "driver",
    why: "iommu, ats, packed and page_per_vq require the model virtio",
    remedy: "Leave them out, or write <model type='virtio'/>.",
    isBroken: (found) => found.type !== "hostdev" && !isVirtio(found) && hasVirtioOption(found.driver),
  },
  {
    place: "virtualport",
    why: "an interface of this type has no virtual port",
    remedy: LEAVE_OUT,
    isBroken: ({ type, virtualport }) =>
      virtualport !== undefined && !["network", "bridge", "direct", "hostdev"].includes(type),
  },
  {
    place: "virtualport/parameters",
    why: "a port of Open vSwitch has only an interfaceid and a profileid of at most 39 characters",
    remedy: "Leave the others out, and shorten the profileid.",
    isBroken: (found) => !hasOwnParameters(found),
  },
  {
    place: "rom",
    why: "only a PCI device has an option ROM",
    remedy: "Leave it out.",
    isBroken: ({ rom, model }) => rom !== undefined && model?.type === "usb-net",
  },
  {
    place: "acpi",
    why: "only a PCI device has an ACPI index",
    remedy: "Leave it out.",
    isBroken: ({ acpi, model }) => acpi !== undefined && model?.type === "usb-net",
  },
  {
    place: "address/@type",
    why: "only the model usb-net has a USB address",
    remedy: "Leave the address out.",
    isBroken: ({ address, model }) => address?.type === "usb" && model?.type !== "usb-net",
  },
];

/** Refuses an interface that QEMU cannot provide as the XML describes it. Throws "unsupported". */
export function refuseInterface(guest: Guest, found: NetworkInterface, path: string): void {
  if (found.type === "vhostuser") refuseUnsharedMemory(guest, `${path}/@type`);
  refuseBroken(RULES, { device: found, guest, path });
}

function isBridged(type: NetworkInterface["type"]): boolean {
  return type === "network" || type === "bridge";
}

// virDomainActualNetDefValidate() of libvirt
function canHaveVlan(found: NetworkInterface): boolean {
  if (found.type === "direct") return found.source.mode === "passthrough";
  return isBridged(found.type) || found.type === "hostdev";
}

function hasVirtioOption(driver: Exclude<NetworkInterface, { readonly type: "hostdev" }>["driver"]): boolean {
  const { ats, iommu, packed, pagePerVq } = driver ?? {};
  return [ats, iommu, packed, pagePerVq].some((found) => found !== undefined);
}

function isUserPrefix(address: string, prefix: number): boolean {
  return address.includes(":") ? prefix === 64 : prefix >= 4 && prefix <= 27;
}

function isPowerOfTwo(size: number | undefined): boolean {
  return size === undefined || Number.isInteger(Math.log2(size));
}
