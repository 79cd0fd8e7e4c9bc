import { parseNetwork } from "../../network/document.ts";
import type { Instance } from "../../state/instance.ts";
import { listNetworkEntries } from "../../state/networks.ts";
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

/** XML of a network. */
export interface NetworkXml {
  readonly name: string;
  readonly uuid: string;
  /** Whether the XML is that of an active network. */
  readonly isLive: boolean;
  readonly xml: string;
}

/** Returns the XML of a network as it is active or as it is defined, or in the form that it has. Throws "not-found". */
export function getNetworkXml(instance: Instance, key: string, form: "active" | "defined"): NetworkXml {
  const { active, defined, name, uuid } = findNetwork(instance, key);
  const isLive = active !== undefined && (form === "active" || defined === undefined);
  return { name, uuid, isLive, xml: (isLive ? active : defined) ?? "" };
}
