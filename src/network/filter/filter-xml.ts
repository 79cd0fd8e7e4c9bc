import { attributesDraft, type Draft, textDraft } from "../../xml/draft.ts";
import { formatDocument } from "../../xml/format-document.ts";
import { chainPriority, type Field, type Filter, type FilterRule, RULE_PRIORITY } from "./filter-rule.ts";

/**
 * Attributes for the fields of libvirt's own filters, but for the protocol and what an announcement by RARP
 * has.
 */
const ATTRIBUTES: ReadonlyMap<Field, string> = new Map<Field, string>([
  ["source MAC", "srcmacaddr"],
  ["destination MAC", "dstmacaddr"],
  ["source IPv4", "srcipaddr"],
  ["destination IPv4", "dstipaddr"],
  ["IPv4 protocol", "protocol"],
  ["source IPv6", "srcipaddr"],
  ["destination IPv6", "dstipaddr"],
  ["IPv6 protocol", "protocol"],
  ["source UDP port", "srcportstart"],
  ["destination UDP port", "dstportstart"],
  ["ARP source MAC", "arpsrcmacaddr"],
  ["ARP source IPv4", "arpsrcipaddr"],
]);
/** Elements of protocols, with fields of their own. */
const ELEMENTS: ReadonlyMap<string, string> = new Map([
  ["ipv4", "ip"],
  ["ipv6", "ipv6"],
  ["arp", "arp"],
  ["rarp", "rarp"],
]);

/** Formats a filter as `virsh nwfilter-dumpxml` does. virNWFilterDefFormat() of libvirt */
export function formatFilterXml(name: string, uuid: string, filter: Filter): string {
  const { chain = "root", entries, priority = chainPriority(chain) } = filter;
  const root = attributesDraft("filter", {
    name,
    chain,
    ...(priority === undefined ? {} : { priority: String(priority) }),
  });
  root.children.push(textDraft("uuid", uuid), ...entries.map(entryDraft));
  return formatDocument(root);
}

function entryDraft(entry: FilterRule | string): Draft {
  if (typeof entry === "string") return attributesDraft("filterref", { filter: entry });
  const { action, direction, match = [], priority = RULE_PRIORITY } = entry;
  const rule = attributesDraft("rule", { action, direction, priority: String(priority) });
  if (match.length > 0) rule.children.push(matchDraft(new Map(match)));
  return rule;
}

/** Formats the fields of a rule: Ethernet's in `<mac>`, others in the element of their protocol. */
function matchDraft(match: ReadonlyMap<Field, string>): Draft {
  const protocol = match.get("protocol");
  const element = match.size > 1 ? ELEMENTS.get(protocol ?? "") : undefined;
  const fields = [...match].flatMap(([field, value]) => attributesOf(field, value));
  const isUdp = match.has("source UDP port") || match.has("destination UDP port");
  return attributesDraft(element ?? "mac", {
    ...(element === undefined && protocol !== undefined ? { protocolid: protocol } : {}),
    ...(isUdp ? { protocol: "udp" } : {}),
    ...Object.fromEntries(fields),
  });
}

function attributesOf(field: Field, value: string): readonly (readonly [name: string, value: string])[] {
  if (field === "protocol") return [];
  if (field === "RARP announcement") return announcement(value);
  const name = ATTRIBUTES.get(field) ?? field;
  const [address = "", mask] = value.split("/");
  return mask === undefined
    ? [[name, value]]
    : [
        [name, address],
        [name.replace("addr", "mask"), mask],
      ];
}

/**
 * The announcement of QEMU after a migration, from the guest's MAC address to itself.
 * qemu-announce-self-rarp.xml of libvirt
 */
function announcement(mac: string): readonly (readonly [name: string, value: string])[] {
  return [
    ["opcode", "Request_Reverse"],
    ["arpsrcmacaddr", mac],
    ["arpdstmacaddr", mac],
    ["arpsrcipaddr", "0.0.0.0"],
    ["arpdstipaddr", "0.0.0.0"],
  ];
}
