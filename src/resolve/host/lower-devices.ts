import type { Host } from "../../host/host.ts";
import { NETWORK_DEVICES } from "../../plan/paths.ts";
import { PCI_DEVICES } from "../../run/steps/pci.ts";

/** Network devices without hardware of their own, in sysfs. */
const VIRTUAL = "/sys/devices/virtual/net/";
/**
 * Link from a device to its parts: a bridge to its ports, a bond, a VLAN.
 * Documentation/ABI/testing/sysfs-class-net of Linux
 */
const LOWER = "lower_";
/**
 * Device of Open vSwitch that uses the ports of all its bridges. lib/dpif-netlink.c of Open vSwitch,
 * ovs_netdev_link() of Linux
 */
const DATAPATH = "ovs-system";
/** Hardware type of Ethernet. linux/if_arp.h ARPHRD_ETHER */
const ETHERNET = "1";

/** Lists the network devices of a PCI device. */
export function listCards(host: Host, device: string): readonly string[] {
  const folder = `${host.inspectFile(`${PCI_DEVICES}/${device}`)?.id.path ?? ""}/`;
  return host.listFolder(NETWORK_DEVICES).filter((name) => pathOf(host, name).startsWith(folder));
}

/**
 * Returns a network device of the cards among these devices, or below them in a bridge, bond or VLAN. The
 * kernel does not tell the bridges of Open vSwitch apart: all its ports are below each of them.
 */
export function findBelow(
  host: Host,
  cards: readonly string[],
  names: readonly string[],
): LowerDevice | undefined {
  return listBelow(host, names).find(({ name }) => cards.includes(name));
}

/** Lists the folders in sysfs of network devices, and of all that they use. */
export function listFoldersBelow(host: Host, names: readonly string[]): readonly string[] {
  return listBelow(host, names).map(({ name }) => pathOf(host, name));
}

/** Network device used by another. `by`: the device of Open vSwitch on the way to it. */
interface LowerDevice {
  readonly name: string;
  readonly by?: string | undefined;
}

/** Lists network devices with all their parts. */
function listBelow(host: Host, names: readonly string[]): readonly LowerDevice[] {
  const found = new Map(names.map((name): readonly [string, LowerDevice] => [name, { name }]));
  // Grows while it is visited.
  for (const device of found.values())
    for (const used of listUsed(host, device)) if (!found.has(used.name)) found.set(used.name, used);
  return [...found.values()];
}

function listUsed(host: Host, { by, name }: LowerDevice): readonly LowerDevice[] {
  const lower = host.listFolder(`${NETWORK_DEVICES}/${name}`).filter((file) => file.startsWith(LOWER));
  if (lower.length > 0) return lower.map((file) => ({ name: file.slice(LOWER.length), by }));
  return isOfSwitch(host, name) ? [{ name: DATAPATH, by: name }] : [];
}

/**
 * Whether a device without parts may belong to an Open vSwitch bridge. sysfs shows it as an Ethernet device,
 * neither a tap nor an end of a pair. vport-internal_dev.c of Linux
 */
function isOfSwitch(host: Host, name: string): boolean {
  const read = (file: string): string | undefined =>
    host.readText(`${NETWORK_DEVICES}/${name}/${file}`)?.trim();
  return (
    pathOf(host, name).startsWith(VIRTUAL) &&
    read("type") === ETHERNET &&
    read("tun_flags") === undefined &&
    read("iflink") === read("ifindex") &&
    read("uevent")?.includes("DEVTYPE=") !== true
  );
}

function pathOf(host: Host, name: string): string {
  return host.inspectFile(`${NETWORK_DEVICES}/${name}`)?.id.path ?? "";
}
