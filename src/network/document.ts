import { sanitizeMetadata } from "../domain/metadata.ts";
import type { Draft } from "../xml/draft.ts";
import { formatDocument } from "../xml/format-document.ts";
import { addPrefix } from "../xml/namespace.ts";
import { parseDocument } from "../xml/parse-document.ts";
import { readWhole } from "../xml/read-whole.ts";
import { notUnderstood } from "../xml/refusal.ts";
import { type Network, network } from "./forms/network.ts";

/** Namespace of options for dnsmasq only. https://libvirt.org/formatnetwork.html#network-namespaces */
const DNSMASQ_NAMESPACE = "http://libvirt.org/schemas/network/dnsmasq/1.0";

/** Reads a `<network>` document. Throws "xml" and "unsupported", with the places. */
export function parseNetwork(bytes: Uint8Array): Network {
  const root = addPrefix(parseDocument(bytes), DNSMASQ_NAMESPACE, "dnsmasq");
  if (root.tag !== network.tag)
    throw notUnderstood({ node: root }, "it is not a <network>", "Give svirt the definition of a network.");
  const value = readWhole(network, root);
  return value.metadata === undefined ? value : { ...value, metadata: sanitizeMetadata(value.metadata) };
}

/** Reads a stored `<network>` document. */
export function parseNetworkText(xml: string): Network {
  return parseNetwork(new TextEncoder().encode(xml));
}

/** Numbers of guests' interfaces on an active network. */
interface Connections {
  readonly all: number;
  /** By device, for a network of macvtaps. */
  readonly devices: ReadonlyMap<string, number>;
}

/**
 * Returns the network's XML in libvirt's layout; of an active network with the numbers of interfaces on it.
 * virNetworkDefFormatBuf() of libvirt
 */
export function formatNetwork(value: Network, connections?: Connections): string {
  const draft = network.format(value);
  const attributes = new Map([
    ...(value.dnsmasq === undefined ? [] : ([["xmlns:dnsmasq", DNSMASQ_NAMESPACE]] as const)),
    ...counted(connections?.all),
    ...draft.attributes,
  ]);
  for (const device of devicesIn(draft)) {
    for (const [name, count] of counted(connections?.devices.get(device.attributes.get("dev") ?? "")))
      device.attributes.set(name, count);
  }
  return formatDocument({ ...draft, attributes });
}

function counted(number = 0): readonly (readonly [string, string])[] {
  return number === 0 ? [] : [["connections", String(number)]];
}

/** Returns the elements `<forward><interface>` of a network. */
function devicesIn(draft: Draft): readonly Draft[] {
  return childrenOf(draft, "forward").flatMap((forward) => childrenOf(forward, "interface"));
}

function childrenOf({ children }: Draft, tag: string): readonly Draft[] {
  return children.filter((child): child is Draft => typeof child !== "string" && child.tag === tag);
}
