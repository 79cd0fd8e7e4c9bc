import { isBound, unbound } from "../domain/devices/network/bound.ts";
import type { InterfaceOf, NetworkInterface } from "../domain/devices/network/interface.ts";
import type { Domain } from "../domain/domain.ts";
import { errorsOf, SvirtError, throwErrors } from "../errors.ts";
import type { Pool } from "../network/rules/pool.ts";
import type { StartableNetwork } from "../network/rules/startable.ts";
import type { Instance } from "../state/instance.ts";
import { activeNetworkPath, readNetwork } from "../state/networks.ts";
import { activeXml, placed, readActive } from "./named-object.ts";
import type { NetworkPort } from "./network-ports.ts";

/**
 * Puts each interface on a network on the network's bridge, or replaces it with a macvtap on one of its devices, as libvirt shows
 * it in a running guest's XML. Unless the caller holds the registry's lock, another guest may get the same device:
 * {@link chooseDevicesAgain}. Throws "not-found" for an unknown network or port group, "wrong-state" for an inactive network,
 * "in-use" if no device is free.
 */
export function bindNetworks(instance: Instance, domain: Domain): Domain {
  const { devices } = domain;
  if (!devices.interfaces.some(({ type }) => type === "network")) return domain;
  const errors: SvirtError[] = [];
  const interfaces: NetworkInterface[] = [...devices.interfaces];
  // The records of all guests are read once, and only if a network has devices to choose from.
  let others: readonly NetworkPort[] | undefined;
  const listOthers = (): readonly NetworkPort[] => {
    others ??= portsIn(instance);
    return others;
  };
  for (const [at, found] of devices.interfaces.entries()) {
    const place = `/domain/devices/interface[${at + 1}]`;
    const guest = { uuid: domain.uuid, interfaces, listOthers };
    const bind = (): void => {
      if (found.type === "network") interfaces[at] = bindInterface(instance, found, { place, guest });
    };
    errors.push(...errorsOf(bind));
  }
  throwErrors(errors);
  return { ...domain, devices: { ...devices, interfaces } };
}

/**
 * Chooses the devices of a domain's macvtaps on networks again, for a caller that holds the registry's lock and records the guest
 * before it releases the lock. Throws the errors of bindNetworks().
 */
export function chooseDevicesAgain(instance: Instance, domain: Domain): Domain {
  const { devices } = domain;
  const isChosen = (found: NetworkInterface): boolean => found.type === "direct" && isBound(found);
  if (!devices.interfaces.some(isChosen)) return domain;
  const interfaces = devices.interfaces.map((found) => (isChosen(found) ? unbound(found) : found));
  return bindNetworks(instance, { ...domain, devices: { ...devices, interfaces } });
}

/** Guest that starts: its interfaces so far, and those of all guests. */
interface StartingGuest {
  readonly uuid: string;
  readonly interfaces: readonly NetworkInterface[];
  listOthers(): readonly NetworkPort[];
}

/** Interface to bind: its path in the document, and the guest that starts with it; undefined: a running guest gets it. */
interface Binding {
  readonly place: string;
  readonly guest?: StartingGuest;
}

/** Replaces one interface on a network with one on its bridge or device. */
export function bindInterface(
  instance: Instance,
  found: NetworkInterface,
  binding: Binding,
): NetworkInterface {
  const asked = unbound(found);
  if (asked.type !== "network") return found;
  const { place } = binding;
  const { network: name, portgroup } = asked.source;
  const { link, network } = activeNetwork(instance, name, place);
  if (portgroup !== undefined && !network.portgroups.some((group) => group.name === portgroup)) {
    throw new SvirtError(
      `Cannot look up ${place}/source/@portgroup: network '${name}' has no port group '${portgroup}'`,
      {
        kind: "not-found",
        remedy: `Leave portgroup out of <source>, or name a port group of the network: svirt net-dumpxml ${name}`,
        place: `${place}/source/@portgroup`,
      },
    );
  }
  // networkAllocatePort() of libvirt: the interface's own setting precedes the network's.
  const isolated = asked.port?.isolated ?? network.port?.isolated;
  const plain = { ...asked, ...(isolated === undefined ? {} : { port: { isolated } }) };
  const source = { ...asked.source, portid: instance.host.makeUuid() };
  if (link.to === "bridge") {
    const type = link.made === undefined ? "bridge" : "network";
    return { ...plain, type, source: { ...source, bridge: link.name } };
  }
  return {
    ...plain,
    type: "direct",
    source: { ...source, ...choose(instance, { name, pool: link }, binding) },
  };
}

type Chosen = Pick<InterfaceOf<"direct">["source"], "dev" | "mode">;

/** Chooses a device by its uses. Loaded on demand, as {@link understood}. */
function choose(
  instance: Instance,
  { name, pool }: { readonly name: string; readonly pool: Pool },
  { guest, place }: Binding,
): Chosen {
  const { chooseDevice }: typeof import("../network/rules/pool.ts") = require("../network/rules/pool.ts");
  const { countUses, onNetwork }: typeof import("./network-ports.ts") = require("./network-ports.ts");
  // A record of the guest that starts is of an earlier run.
  const others = (guest?.listOthers() ?? portsIn(instance)).filter(({ owner }) => owner.uuid !== guest?.uuid);
  const all = [...others.map(({ found }) => found), ...(guest?.interfaces ?? [])];
  try {
    return { dev: chooseDevice(name, pool, countUses(onNetwork(all, name))), mode: pool.mode };
  } catch (error) {
    throw placed(error, `${place}/source/@network`);
  }
}

function portsIn(instance: Instance): readonly NetworkPort[] {
  const { listAllPorts }: typeof import("./network-ports.ts") = require("./network-ports.ts");
  return listAllPorts(instance);
}

function activeNetwork(instance: Instance, name: string, place: string): StartableNetwork {
  const at = `${place}/source/@network`;
  const xml = activeXml(readNetwork(instance, name), {
    place: at,
    unknown: () =>
      new SvirtError(`Network not found: no network with matching name '${name}' (${at})`, {
        kind: "not-found",
        libvirt: "NO_NETWORK",
        place: at,
        remedy: "List the networks: svirt net-list --all; or write type='bridge' and <source bridge='…'/>.",
      }),
    shown: `network '${name}'`,
    start: `svirt net-start ${name}`,
  });
  return understood(xml, { place: at, file: activeNetworkPath(instance, name) });
}

/** Reads the XML of an active network. The forms are loaded on demand: most starts need none. */
function understood(
  xml: string,
  { file, place }: { readonly file: string; readonly place: string },
): StartableNetwork {
  const { parseNetworkText }: typeof import("../network/document.ts") = require("../network/document.ts");
  const {
    startableNetwork,
  }: typeof import("../network/rules/startable.ts") = require("../network/rules/startable.ts");
  const network = readActive(file, place, () => parseNetworkText(xml));
  try {
    return startableNetwork(network);
  } catch (error) {
    throw placed(error, place);
  }
}
