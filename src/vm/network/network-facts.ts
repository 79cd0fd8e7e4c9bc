import { formatNetwork, parseNetworkText } from "../../network/document.ts";
import { countUses, listPorts } from "../../resolve/network-ports.ts";
import type { Instance } from "../../state/instance.ts";
import { isNetworkAutostarted } from "../../state/networks/networks.ts";
import { type ShownXml, showStored } from "../stored/show-stored.ts";
import { findNetwork } from "./find-network.ts";

/** Facts about a network, as virsh's net-info has them. */
export interface NetworkFacts {
  readonly name: string;
  readonly uuid: string;
  readonly active: boolean;
  readonly persistent: boolean;
  readonly autostart: boolean;
  /** Undefined for a network without a bridge. */
  readonly bridge: string | undefined;
}

/** Returns facts about a network. Throws "not-found"; "xml" for a damaged file. */
export function getNetworkFacts(instance: Instance, key: string): NetworkFacts {
  const { active, defined, name, uuid } = findNetwork(instance, key);
  const network = parseNetworkText(active ?? defined ?? "");
  return {
    name,
    uuid,
    active: active !== undefined,
    persistent: defined !== undefined,
    autostart: defined !== undefined && isNetworkAutostarted(instance, name),
    bridge: network.bridge?.name,
  };
}

/**
 * Returns the XML of a network as it is active or as it is defined, or in the form that it has. Throws
 * "not-found".
 */
export async function getNetworkXml(
  instance: Instance,
  key: string,
  form: "active" | "defined",
): Promise<ShownXml> {
  const network = findNetwork(instance, key);
  return await showStored(network, form, (active) => {
    const found = form === "active" ? listPorts(instance, network.name).map((port) => port.found) : [];
    if (found.length === 0) return active;
    const connections = { all: found.length, devices: countUses(found) };
    return formatNetwork(parseNetworkText(active), connections);
  });
}
