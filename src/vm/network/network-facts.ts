import { isBound } from "../../domain/devices/network/bound.ts";
import { parseDomainText } from "../../domain/document.ts";
import { formatNetwork, parseNetwork } from "../../network/document.ts";
import type { Instance } from "../../state/instance.ts";
import { listNetworkEntries } from "../../state/networks.ts";
import { isRunning, readRecords } from "../../state/record.ts";
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
  const network = parseNetwork(new TextEncoder().encode(active ?? defined));
  return {
    name,
    uuid,
    active: active !== undefined,
    persistent: defined !== undefined,
    autostart: listNetworkEntries(instance).some((one) => one.name === name && one.isAutostarted),
    bridge: network.bridge?.name,
  };
}

/** Returns the XML of a network as it is active or as it is defined, or in the form that it has. Throws "not-found". */
export function getNetworkXml(instance: Instance, key: string, form: "active" | "defined"): ShownXml {
  const network = findNetwork(instance, key);
  return showStored(network, form, (active) => {
    const connections = form === "active" ? countConnections(instance, network.name) : 0;
    return connections === 0
      ? active
      : formatNetwork(parseNetwork(new TextEncoder().encode(active)), connections);
  });
}

/** Counts the interfaces of running guests on a network. A damaged record has none. */
function countConnections(instance: Instance, name: string): number {
  return readRecords(instance, () => undefined)
    .filter((guest) => guest.xml.includes("<source network=") && isRunning(instance, guest))
    .flatMap(({ xml }) => parseDomainText(xml).devices.interfaces)
    .filter((found) => isBound(found) && found.source.network === name).length;
}
