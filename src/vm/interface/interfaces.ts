import { SvirtError } from "../../errors.ts";
import {
  findInterface,
  formatInterface,
  type HostInterface,
  listInterfaces,
} from "../../report/interfaces.ts";
import type { Instance } from "../../state/instance.ts";

/** Lists the network interfaces of the host: active, inactive or all. */
export function selectInterfaces(
  { host }: Instance,
  which: { readonly active: boolean; readonly inactive: boolean },
): readonly HostInterface[] {
  return listInterfaces(host).filter(({ isActive }) => (isActive ? which.active : which.inactive));
}

/** Returns the named interface. Throws "not-found". */
export function lookUpInterface({ host }: Instance, name: string): HostInterface {
  return findInterface(host, name) ?? notFound(`couldn't find interface named '${name}'`);
}

/** Returns the interface with the address. Throws "not-found", "usage" if several have it. */
export function lookUpInterfaceByMac({ host }: Instance, mac: string): HostInterface {
  const [found, other] = listInterfaces(host).filter((one) => one.mac === mac);
  if (other !== undefined) {
    throw new SvirtError(
      `multiple interfaces with matching MAC address: '${mac}' matches multiple interfaces`,
      {
        kind: "usage",
        libvirt: "MULTIPLE_INTERFACES",
        remedy: "Name the interface: svirt iface-list --all",
      },
    );
  }
  return found ?? notFound(`couldn't find interface with MAC address '${mac}'`);
}

/** Returns libvirt's `<interface>` of the named interface. Throws "not-found", "failed". */
export function getInterfaceXml(instance: Instance, name: string): string {
  return formatInterface(instance.host, lookUpInterface(instance, name));
}

function notFound(why: string): never {
  throw new SvirtError(`Interface not found: ${why}`, {
    kind: "not-found",
    libvirt: "NO_INTERFACE",
    remedy: "List the interfaces: svirt iface-list --all",
  });
}
