import { SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import { PCI_DEVICES } from "../../run/steps/pci.ts";

const NETWORK_DEVICES = "/sys/class/net";
/** Network devices without hardware of their own, in sysfs. */
const VIRTUAL = "/sys/devices/virtual/net/";
/** Link from a device to one that it uses: a bridge to its ports, a bond, a VLAN. Documentation/ABI/testing/sysfs-class-net of Linux */
const LOWER = "lower_";
/** Device of Open vSwitch that uses the ports of all its bridges. lib/dpif-netlink.c of Open vSwitch, ovs_netdev_link() of Linux */
const DATAPATH = "ovs-system";
/** Hardware type of Ethernet. linux/if_arp.h ARPHRD_ETHER */
const ETHERNET = "1";

/**
 * Refuses to detach a network card by which the host has a default route, directly or below a bridge, bond or VLAN. Throws "wrong-state". The
 * kernel does not tell the bridges of Open vSwitch apart: with a route by one of them, every port of Open vSwitch is refused.
 */
export function refuseRoutedCard(host: Host, device: string): void {
  const folder = `${host.inspectFile(`${PCI_DEVICES}/${device}`)?.id.path ?? ""}/`;
  const routed = listBelow(host, host.listDefaultRoutes());
  const used = routed.find(({ name }) => pathOf(host, name).startsWith(folder));
  if (used === undefined) return;
  const { name, by } = used;
  throw new SvirtError(
    `Cannot detach ${device} from the host: the host's default route is by ${by === undefined ? `${name} on it` : `the Open vSwitch bridge ${by}, and ${name} on it is a port of Open vSwitch`}`,
    {
      kind: "wrong-state",
      remedy: `Move the route to another device${by === undefined ? "" : `, remove ${name} from its bridge (ovs-vsctl del-port ${name})`}, or pass another device.`,
    },
  );
}

/** Network device that the host needs for a route. `by`: the device of Open vSwitch that leads to it. */
interface RoutedDevice {
  readonly name: string;
  readonly by?: string | undefined;
}

/** Lists network devices with all that they use. */
function listBelow(host: Host, names: readonly string[]): readonly RoutedDevice[] {
  const found = new Map(names.map((name): readonly [string, RoutedDevice] => [name, { name }]));
  // Grows while it is visited.
  for (const device of found.values())
    for (const used of listUsed(host, device)) if (!found.has(used.name)) found.set(used.name, used);
  return [...found.values()];
}

function listUsed(host: Host, { by, name }: RoutedDevice): readonly RoutedDevice[] {
  const lower = host.listFolder(`${NETWORK_DEVICES}/${name}`).filter((file) => file.startsWith(LOWER));
  if (lower.length > 0) return lower.map((file) => ({ name: file.slice(LOWER.length), by }));
  return isOfSwitch(host, name) ? [{ name: DATAPATH, by: name }] : [];
}

/**
 * Whether a device that uses no other may be that of an Open vSwitch bridge. sysfs shows it as an Ethernet device that is neither a tap nor one end of
 * a pair. vport-internal_dev.c of Linux
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
