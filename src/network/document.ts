import { sanitizeMetadata } from "../domain/metadata.ts";
import { formatDocument } from "../xml/format-document.ts";
import { withPrefix } from "../xml/namespace.ts";
import { parseDocument } from "../xml/parse-document.ts";
import { readWhole } from "../xml/read-whole.ts";
import { notUnderstood } from "../xml/refusal.ts";
import { type Network, network } from "./forms/network.ts";

/** Namespace of options for dnsmasq only. https://libvirt.org/formatnetwork.html#network-namespaces */
const DNSMASQ_NAMESPACE = "http://libvirt.org/schemas/network/dnsmasq/1.0";

/** Reads a `<network>` document. Throws "xml" and "unsupported", with the places. */
export function parseNetwork(bytes: Uint8Array): Network {
  const root = withPrefix(parseDocument(bytes), DNSMASQ_NAMESPACE, "dnsmasq");
  if (root.tag !== network.tag)
    throw notUnderstood({ node: root }, "it is not a <network>", "Give svirt the definition of a network.");
  const value = readWhole(network, root);
  return value.metadata === undefined ? value : { ...value, metadata: sanitizeMetadata(value.metadata) };
}

/**
 * Returns the network's XML in libvirt's layout; of an active network with the number of interfaces on it.
 * virNetworkDefFormatBuf() of libvirt
 */
export function formatNetwork(value: Network, connections = 0): string {
  const draft = network.format(value);
  const attributes = new Map([
    ...(value.dnsmasq === undefined ? [] : ([["xmlns:dnsmasq", DNSMASQ_NAMESPACE]] as const)),
    ...(connections === 0 ? [] : ([["connections", String(connections)]] as const)),
    ...draft.attributes,
  ]);
  return formatDocument({ ...draft, attributes });
}
