import { SvirtError, unlessRefused } from "../../errors.ts";
import { isBridgeName, pickBridgeName } from "../../network/bridge-name.ts";
import { type CompletedNetwork, completeNetwork } from "../../network/complete.ts";
import { parseNetworkText } from "../../network/document.ts";
import { hasOwnBridge } from "../../network/forms/mode-rules.ts";
import type { Network } from "../../network/forms/network.ts";
import { NETWORK_DEVICES } from "../../plan/paths.ts";
import { makeMac } from "../../resolve/generate-mac.ts";
import type { Instance } from "../../state/instance.ts";
import { listNetworks, networkStore, type StoredNetwork } from "../../state/networks/networks.ts";
import { refuseDamaged } from "../stored/refuse-damaged.ts";

/**
 * Returns a network with the parts added by libvirt's define. Without a UUID, it gets the UUID of the network
 * with its name, or a new UUID. Throws "unsupported"; "in-use" if name and UUID belong to different networks,
 * or if another network has the bridge. The caller holds the registry's lock.
 */
export function completeForHost(instance: Instance, network: Network): CompletedNetwork {
  const known = listNetworks(instance);
  const others = known.filter(({ name }) => name !== network.name);
  const uuid = known.find(({ name }) => name === network.name)?.uuid;
  const bridges = new Set(others.flatMap(bridgesOf));
  const completed = completeNetwork(network, {
    uuid: uuid ?? instance.host.makeUuid(),
    mac: makeMac(instance.host),
    bridge: chooseBridge(instance, network, bridges),
  });
  refuseOtherNetwork(completed, known);
  const own = hasOwnBridge(network) ? completed.bridge?.name : undefined;
  if (own !== undefined && bridges.has(own)) throw usedBridge(own);
  return completed;
}

/**
 * Throws "in-use" if another active network has the UUID, which names its rules and its server, or the
 * bridge. Only a definition that svirt has not written can have them. Throws "failed" if the file of an
 * active one is damaged.
 */
export function refuseActiveTwin(instance: Instance, network: Network & { readonly uuid: string }): void {
  refuseDamaged(networkStore, instance, { which: "active", except: network.name, parse: parseNetworkText });
  const actives = listNetworks(instance).filter(
    ({ active, name }) => active !== undefined && name !== network.name,
  );
  refuseOtherNetwork(network, actives);
  const own = network.bridge?.name;
  if (own === undefined || !actives.some(({ active }) => bridgesOf({ active }).includes(own))) return;
  throw usedBridge(own);
}

/**
 * Throws "in-use" with libvirt's message if the name or the UUID belongs to another network.
 * virNetworkObjListAdd()
 */
function refuseOtherNetwork(
  { name, uuid }: Pick<CompletedNetwork, "name" | "uuid">,
  known: readonly StoredNetwork[],
): void {
  const other = known.find((one) => (one.name === name) !== (one.uuid === uuid));
  if (other === undefined) return;
  throw new SvirtError(
    `operation failed: network '${other.name}' is already defined with uuid ${other.uuid}`,
    {
      kind: "in-use",
      libvirt: "OPERATION_FAILED",
      from: "NETWORK",
      remedy: "Give this network another name and leave its <uuid> out, or undefine the other network.",
    },
  );
}

/** Chooses a name for the bridge that a network makes. networkFindUnusedBridgeName() of libvirt */
function chooseBridge({ host }: Instance, network: Network, bridges: ReadonlySet<string>): string {
  const { bridge } = network;
  if (!hasOwnBridge(network) || isBridgeName(bridge?.name)) return "";
  const devices = new Set(host.listFolder(NETWORK_DEVICES));
  return pickBridgeName(bridge?.name, (name) => bridges.has(name) || devices.has(name));
}

/**
 * Returns the bridges of a network as it is active and as it is defined; none of a document that is damaged.
 */
function bridgesOf({ active, defined }: Partial<StoredNetwork>): readonly string[] {
  return [active, defined].flatMap((xml) => {
    if (xml === undefined) return [];
    return unlessRefused(() => parseNetworkText(xml).bridge?.name) ?? [];
  });
}

/** networkBridgeNameValidate() of libvirt */
function usedBridge(name: string): SvirtError {
  return new SvirtError(`internal error: bridge name '${name}' already in use.`, {
    kind: "in-use",
    libvirt: "INTERNAL_ERROR",
    from: "NETWORK",
    remedy: "Write another name into <bridge name='…'/>, or leave it out.",
  });
}
