import { isBound, isOnMadeBridge, unbound } from "../domain/devices/network/bound.ts";
import type { InterfaceOf, NetworkInterface } from "../domain/devices/network/interface.ts";
import type { Domain } from "../domain/domain.ts";
import { errorsOf, SvirtError, throwErrors, unlessRefused } from "../errors.ts";
import type { Network, Portgroup } from "../network/forms/network.ts";
import { portSettings } from "../network/rules/interface-port.ts";
import type { Pool } from "../network/rules/pool.ts";
import type { StartableNetwork } from "../network/rules/startable.ts";
import type { Instance } from "../state/instance.ts";
import { activeNetworkPath, readNetwork } from "../state/networks/networks.ts";
import { addInterfaceId } from "./interface-id.ts";
import { activeXml, placed, readActive } from "./named-object.ts";
import type { NetworkPort } from "./network-ports.ts";

/**
 * Puts each interface on a network on the network's bridge, or replaces it with a macvtap on a device of it,
 * as libvirt shows it in a running guest's XML. Unless the caller holds the registry's lock, another guest
 * may get the same device: {@link chooseDevicesAgain}. Throws "not-found" for an unknown network or port
 * group, "wrong-state" for an inactive network, "in-use" if no device is free.
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
 * Chooses the devices of a domain's macvtaps on networks, and checks its shares of their bandwidth, again,
 * for a caller that holds the registry's lock and records the guest before it releases the lock. Throws the
 * errors of bindNetworks().
 */
export function chooseDevicesAgain(instance: Instance, domain: Domain): Domain {
  const { devices } = domain;
  const isChosen = (found: NetworkInterface): boolean =>
    isBound(found) && (found.type === "direct" || floorOf(found) > 0);
  if (!devices.interfaces.some(isChosen)) return domain;
  const interfaces = devices.interfaces.map((found) => (isChosen(found) ? unbound(found) : found));
  return bindNetworks(instance, { ...domain, devices: { ...devices, interfaces } });
}

/** Starting guest: its interfaces so far, and all other guests'. */
interface StartingGuest {
  readonly uuid: string;
  readonly interfaces: readonly NetworkInterface[];
  listOthers(): readonly NetworkPort[];
}

/**
 * Interface to bind: its path in the document, and the guest that starts with it; undefined: a running guest
 * gets it.
 */
interface Binding {
  readonly place: string;
  readonly guest?: StartingGuest;
}

/** Replaces an interface on a network with an interface on its bridge or device. */
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
  const group = groupOf(network, portgroup);
  if (portgroup !== undefined && group === undefined) {
    throw new SvirtError(
      `Cannot look up ${place}/source/@portgroup: network '${name}' has no port group '${portgroup}'`,
      {
        kind: "not-found",
        remedy: `Leave portgroup out of <source>, or name a port group of the network: svirt net-dumpxml ${name}`,
        place: `${place}/source/@portgroup`,
      },
    );
  }
  // networkAllocatePort() of libvirt: the interface's own settings precede the network's and the group's.
  const isolated = asked.port?.isolated ?? network.port?.isolated;
  const bandwidth = asked.bandwidth ?? group?.bandwidth;
  const plain = {
    ...asked,
    ...portSettings(asked, { network, group, place }),
    ...(isolated === undefined ? {} : { port: { isolated } }),
    ...(bandwidth === undefined ? {} : { bandwidth }),
  };
  refuseOvercommitted(instance, plain, { network, binding });
  const source = { ...asked.source, portid: instance.host.makeUuid() };
  if (link.to === "bridge") {
    const type = link.made === undefined ? "bridge" : "network";
    const bound: NetworkInterface = { ...plain, type, source: { ...source, bridge: link.name } };
    return addInterfaceId(instance.host, bound);
  }
  return {
    ...plain,
    type: "direct",
    source: { ...source, ...choose(instance, { name, pool: link }, binding) },
  };
}

/**
 * Refuses another guaranteed share of a running guest's interface without room in its network. The caller
 * holds the registry's lock. Throws the errors of refuseFloor(); "wrong-state" for an inactive network.
 */
export function refuseOtherFloor(instance: Instance, old: NetworkInterface, to: NetworkInterface): void {
  if (!isOnMadeBridge(old) || floorOf(to) === 0 || floorOf(to) === floorOf(old)) return;
  const { network } = activeNetwork(instance, old.source.network, "/interface");
  const { portid } = old.source;
  refuseOvercommitted(instance, to, { network, binding: { place: "/interface" }, portid });
}

/** The network of an interface; `portid` is the interface's own. */
interface FloorAsk {
  readonly network: Network;
  readonly binding: Binding;
  readonly portid?: string | undefined;
}

function refuseOvercommitted(
  instance: Instance,
  found: NetworkInterface,
  { binding, network, portid }: FloorAsk,
): void {
  const floor = floorOf(found);
  if (floor === 0) return;
  const { refuseFloor }: typeof import("../network/rules/floor.ts") = require("../network/rules/floor.ts");
  const others = usesOf(instance, network.name, binding)
    .filter(({ found: { source } }) => source.portid === undefined || source.portid !== portid)
    // A change in progress may have set its share already, and may be undone.
    .map((one) => ({ ...one, share: Math.max(floorOf(one.found), floorOf(one.next ?? one.found)) }))
    .filter(({ share }) => share > 0);
  const mac = macOf(found);
  refuseFloor(network, {
    mac,
    floor,
    others: others.reduce((sum, { share }) => sum + share, 0),
    isTwin: others.some((one) => macOf(one.found) === mac),
    place: `${binding.place}/bandwidth/inbound/@floor`,
  });
}

function macOf({ mac }: NetworkInterface): string {
  return mac?.address.toLowerCase() ?? "";
}

/** Returns the guaranteed share of an interface, in kilobytes per second; 0: none. */
function floorOf({ bandwidth }: NetworkInterface): number {
  return bandwidth?.inbound?.floor ?? 0;
}

/**
 * Returns an interface with the limits of its port group, unless it has limits itself or its network is not
 * active.
 */
export function addGroupLimits(instance: Instance, found: NetworkInterface): NetworkInterface {
  const asked = unbound(found);
  if (asked.type !== "network" || found.bandwidth !== undefined) return found;
  const { network: name, portgroup } = asked.source;
  const network = unlessRefused(() => activeNetwork(instance, name, "/interface"))?.network;
  const bandwidth = network === undefined ? undefined : groupOf(network, portgroup)?.bandwidth;
  return bandwidth === undefined ? found : { ...found, bandwidth };
}

/** Returns the named port group; without a name, the default group. virPortGroupFindByName() of libvirt */
function groupOf({ portgroups }: Network, name: string | undefined): Portgroup | undefined {
  return portgroups.find((one) => (name === undefined ? one.default === true : one.name === name));
}

type Chosen = Pick<InterfaceOf<"direct">["source"], "dev" | "mode">;

/** Chooses a device by its uses. Loaded on demand, as {@link understood}. */
function choose(
  instance: Instance,
  { name, pool }: { readonly name: string; readonly pool: Pool },
  binding: Binding,
): Chosen {
  const { chooseDevice }: typeof import("../network/rules/pool.ts") = require("../network/rules/pool.ts");
  const { countUses }: typeof import("./network-ports.ts") = require("./network-ports.ts");
  const uses = usesOf(instance, name, binding).map(({ found }) => found);
  try {
    return { dev: chooseDevice(name, pool, countUses(uses)), mode: pool.mode };
  } catch (error) {
    throw placed(error, `${binding.place}/source/@network`);
  }
}

/** Lists the interfaces on a network: other guests', and the starting guest's so far. */
function usesOf(
  instance: Instance,
  network: string,
  { guest }: Binding,
): readonly Pick<NetworkPort, "found" | "next">[] {
  const { onNetwork }: typeof import("./network-ports.ts") = require("./network-ports.ts");
  // A record of the starting guest belongs to an earlier run.
  const others = (guest?.listOthers() ?? portsIn(instance)).filter(({ owner }) => owner.uuid !== guest?.uuid);
  return [
    ...others.filter(({ found }) => found.source.network === network),
    ...onNetwork(guest?.interfaces ?? [], network).map((found) => ({ found })),
  ];
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
    // networkAllocatePort() of libvirt
    from: "NETWORK",
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
