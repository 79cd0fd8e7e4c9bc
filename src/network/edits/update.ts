import { SvirtError } from "../../errors.ts";
import { parseDocument } from "../../xml/parse-document.ts";
import { formatNetwork, parseNetworkText } from "../document.ts";
import type { Network } from "../forms/network.ts";
import { editForwardInterface, editPortgroup } from "./devices.ts";
import { editDhcpHost, editDhcpRange } from "./dhcp.ts";
import { editDnsHost, editDnsSrv, editDnsTxt } from "./dns.ts";
import type { Edit } from "./edit.ts";
import { unsupportedEdit } from "./lists.ts";

/** Section with single entries to edit. */
interface EditableSection {
  /** Element of an entry. */
  readonly tag: string;
  edit(network: Network, edit: Edit): Network;
}

/**
 * Sections of a network, in libvirt's order; a name: libvirt does not edit it either. virNetworkUpdateSection
 * of libvirt
 */
const SECTIONS = {
  bridge: "bridge",
  domain: "domain",
  ip: "ip",
  "ip-dhcp-host": { tag: "host", edit: editDhcpHost },
  "ip-dhcp-range": { tag: "range", edit: editDhcpRange },
  forward: "forward",
  "forward-interface": { tag: "interface", edit: editForwardInterface },
  "forward-pf": "forward pf",
  portgroup: { tag: "portgroup", edit: editPortgroup },
  "dns-host": { tag: "host", edit: editDnsHost },
  "dns-txt": { tag: "txt", edit: editDnsTxt },
  "dns-srv": { tag: "srv", edit: editDnsSrv },
} as const satisfies Readonly<Record<string, EditableSection | string>>;

export type UpdateSection = keyof typeof SECTIONS;

/** Names of all sections. */
export const UPDATE_SECTIONS = Object.keys(SECTIONS) as readonly UpdateSection[];

/** Edit of an entry in a section of a network. */
export interface NetworkUpdate extends Pick<Edit, "command" | "parentIndex"> {
  readonly section: UpdateSection;
  /** XML of the entry. */
  readonly entry: Uint8Array;
}

/**
 * Returns the network with an entry added, changed or removed. Throws "xml"; "unsupported" for an edit
 * unknown to libvirt; "wrong-state" if the entry is missing or already there. virNetworkDefUpdateSection()
 * and virNetworkObjUpdate() of libvirt
 */
export function updateNetwork(
  network: Network,
  { entry, section: name, ...update }: NetworkUpdate,
  uses: Edit["uses"],
): Network {
  const node = parseDocument(entry);
  const section: EditableSection | string = SECTIONS[name];
  if (typeof section === "string") {
    throw unsupportedEdit(
      `can't update '${section}' section of network '${network.name}'`,
      `Edit the definition: svirt net-edit ${network.name}`,
    );
  }
  const { edit, tag } = section;
  if (node.tag !== tag) {
    throw new SvirtError(
      `XML error: unexpected element <${node.tag}>, expecting <${tag}>, while updating network '${network.name}'`,
      { kind: "xml", remedy: `Write the entry as <${tag}>.` },
    );
  }
  const edited = edit(network, { ...update, node, uses });
  // An entry may contradict other parts of the network.
  return parseNetworkText(formatNetwork(edited));
}

/** Whether the DNS and DHCP server of a network serves the entries of a section. */
export function isServed(section: UpdateSection): boolean {
  return section.startsWith("dns-") || section.startsWith("ip");
}
