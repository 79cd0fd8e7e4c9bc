import type { NetworkInterface } from "../../domain/devices/network/interface.ts";
import type { Domain } from "../../domain/domain.ts";
import { SvirtError } from "../../errors.ts";
import { interfaceConnection } from "../address/pci/connection.ts";
import { formatInterfaces } from "../devices/network/argv.ts";
import { acceptAll, cannotPlug, type HotplugFamily, notFound } from "./family.ts";
import { isAtPci } from "./place.ts";

/** Hot-plug of network cards, identified by their MAC address. virDomainNetFindIdx() of libvirt */
export const NETWORK: HotplugFamily<"interface"> = {
  name: ({ mac }) => `interface ${mac?.address ?? ""}`.trimEnd(),
  find: findInterface,
  refusePlug({ model, type }) {
    if (!HOT_TYPES.has(type)) {
      throw cannotPlug(
        `an interface of type '${type}' cannot be hot-plugged`,
        "Write <interface type='bridge'>.",
      );
    }
    if (model?.type === "usb-net")
      throw cannotPlug("a USB network card cannot be hot-plugged", "Write another <model>.");
  },
  refuseUnplug: acceptAll,
  // Two cards may have the same MAC address.
  refuseDouble: acceptAll,
  place: interfaceConnection,
  findAdded: ({ interfaces }, device) => interfaces.at(-1) ?? device,
  alone: (device, alias) => ({ interfaces: [{ ...device, alias: device.alias ?? alias }] }),
  words: (alone, _, { boot, launch }) => formatInterfaces(alone, boot, launch),
  commandsAfter: (_, { alias: own, link }, alias) =>
    link?.state === "down" ? [{ execute: "set_link", arguments: { name: own ?? alias, up: false } }] : [],
  prefix: "net",
  isPlugged: (guest, { address }, { facts }) => isAtPci(guest, address, facts),
  // svirt makes the tap, and no file of the host is opened.
  resources: () => [],
  usesNetwork: ({ type }) => type === "user",
};

const HOT_TYPES: ReadonlySet<NetworkInterface["type"]> = new Set([
  "user",
  "network",
  "bridge",
  "ethernet",
  "direct",
]);

function findInterface({ devices }: Domain, { mac }: NetworkInterface): NetworkInterface {
  if (mac === undefined) {
    throw new SvirtError("Cannot find the interface: the XML has no <mac>", {
      kind: "usage",
      remedy: "Write its <mac address='…'/>, as svirt dumpxml shows it.",
    });
  }
  const found = devices.interfaces.filter((one) => one.mac?.address === mac.address);
  const [value] = found;
  if (value === undefined) {
    throw notFound(`no device matching MAC address ${mac.address} was found`);
  }
  if (found.length === 1) return value;
  throw new SvirtError(`operation failed: multiple devices matching MAC address ${mac.address} found`, {
    kind: "usage",
    libvirt: "OPERATION_FAILED",
    remedy: "Give each interface its own address: svirt define",
  });
}
