import { SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import { PCI_DEVICES } from "../../run/steps/pci.ts";

const NETWORK_DEVICES = "/sys/class/net";
/** Link from a device to one that it uses: a bridge to its ports, a bond, a VLAN. Documentation/ABI/testing/sysfs-class-net of Linux */
const LOWER = "lower_";

/** Refuses to detach a network card by which the host has a default route, directly or below a bridge, bond or VLAN. Throws "wrong-state". */
export function refuseRoutedCard(host: Host, device: string): void {
  const folder = `${host.inspectFile(`${PCI_DEVICES}/${device}`)?.id.path ?? ""}/`;
  const routed = listBelow(host, host.listDefaultRoutes());
  const [used] = routed.filter(
    (name) => host.inspectFile(`${NETWORK_DEVICES}/${name}`)?.id.path.startsWith(folder) === true,
  );
  if (used === undefined) return;
  throw new SvirtError(
    `Cannot detach ${device} from the host: the host's default route is by ${used} on it`,
    {
      kind: "wrong-state",
      remedy: "Move the route to another device, or pass another device.",
    },
  );
}

/** Lists network devices with all that they use. */
function listBelow(host: Host, names: readonly string[]): readonly string[] {
  const found = new Set(names);
  // Grows while it is visited.
  for (const name of found)
    for (const file of host.listFolder(`${NETWORK_DEVICES}/${name}`))
      if (file.startsWith(LOWER)) found.add(file.slice(LOWER.length));
  return [...found];
}
