import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { Filter, FilterRule } from "../../src/network/filter/filter-rule.ts";
import { FILTERS } from "../../src/network/filter/filters.ts";
import { getFilterXml, listFilters } from "../../src/vm/network/filter-list.ts";
import type { XmlNode } from "../../src/xml/node.ts";
import { parseDocument } from "../../src/xml/parse-document.ts";
import { makeMachine, nodeOn } from "../scenes/scene.ts";

/** Filters as libvirt's package installs them: among the data, or on this machine. */
const FOLDERS = [`${process.env["SVIRT_TEST_DATA"]}/libvirt/nwfilter`, "/usr/share/libvirt/nwfilter"];
const folder = FOLDERS.find((path) => existsSync(`${path}/clean-traffic.xml`));
const names = folder === undefined ? [] : readdirSync(folder).filter((name) => name.endsWith(".xml"));

type Fields = ReadonlyMap<string, string>;

/**
 * Attributes of libvirt's matches, as svirt names the fields; `mask` is the attribute with the size of an
 * address.
 */
const FIELDS: Readonly<Record<string, readonly [attribute: string, field: string, mask?: string][]>> = {
  mac: [
    ["protocolid", "protocol"],
    ["srcmacaddr", "source MAC"],
    ["dstmacaddr", "destination MAC"],
  ],
  ip: [
    ["srcipaddr", "source IPv4", "srcipmask"],
    ["dstipaddr", "destination IPv4", "dstipmask"],
    ["protocol", "IPv4 protocol"],
    ["srcportstart", "source UDP port"],
    ["dstportstart", "destination UDP port"],
  ],
  ipv6: [
    ["srcipaddr", "source IPv6", "srcipmask"],
    ["dstipaddr", "destination IPv6", "dstipmask"],
    ["protocol", "IPv6 protocol"],
    ["srcportstart", "source UDP port"],
    ["dstportstart", "destination UDP port"],
  ],
  arp: [
    ["arpsrcmacaddr", "ARP source MAC"],
    ["arpsrcipaddr", "ARP source IPv4"],
  ],
  rarp: [
    ["srcmacaddr", "source MAC"],
    ["dstmacaddr", "destination MAC"],
    ["arpsrcmacaddr", "RARP announcement"],
  ],
};
const PROTOCOLS: Readonly<Record<string, string>> = { ip: "ipv4", ipv6: "ipv6", arp: "arp", rarp: "rarp" };

function fieldsOf(match: XmlNode): Fields {
  const { attributes, tag } = match;
  const found = new Map<string, string>();
  const protocol = PROTOCOLS[tag];
  if (protocol !== undefined) found.set("protocol", protocol);
  for (const [attribute, field, mask] of FIELDS[tag] ?? []) {
    const value = attributes.get(attribute);
    const size = mask === undefined ? undefined : attributes.get(mask);
    if (value !== undefined) found.set(field, size === undefined ? value : `${value}/${size}`);
  }
  return found;
}

/** Returns a rule in one line. A match of a UDP port includes that of the protocol. */
function describeRule(rule: Pick<FilterRule, "action" | "direction" | "priority">, fields: Fields): string {
  const hasPort = [...fields.keys()].some((field) => field.endsWith("port"));
  const shown = [...fields]
    .filter(([field]) => !(hasPort && field.endsWith(" protocol")))
    .map(([field, value]) => `${field} ${/^0x/.test(value) ? Number(value) : value.toLowerCase()}`);
  return [rule.direction, rule.action, rule.priority ?? 500, ...shown.toSorted()].join(", ");
}

function describeOwn({ chain = "root", entries, priority }: Filter): readonly string[] {
  return [
    `${chain} ${priority ?? ""}`,
    ...entries.map((entry) =>
      typeof entry === "string" ? entry : describeRule(entry, new Map(entry.match ?? [])),
    ),
  ];
}

function describeRecorded(node: XmlNode): readonly string[] {
  const entries = node.children.map((child) => {
    const { attributes } = child;
    if (child.tag === "filterref") return attributes.get("filter") ?? "";
    const [match] = child.children;
    const priority = attributes.get("priority");
    return describeRule(
      {
        direction: attributes.get("direction") as FilterRule["direction"],
        action: attributes.get("action") as FilterRule["action"],
        ...(priority === undefined ? {} : { priority: Number(priority) }),
      },
      match === undefined ? new Map() : fieldsOf(match),
    );
  });
  return [`${node.attributes.get("chain") ?? "root"} ${node.attributes.get("priority") ?? ""}`, ...entries];
}

test.skipIf(folder === undefined)(
  `each filter has the chain, the rules and the order of libvirt's file${folder === undefined ? " (skipped: needs libvirt's filters in the data, or libvirt-daemon-config-nwfilter)" : ""}`,
  () => {
    expect(names.length).toBe(FILTERS.size);
    for (const file of names) {
      const recorded = parseDocument(readFileSync(`${folder}/${file}`));
      const own = FILTERS.get(file.replace(/\.xml$/, ""));
      const lower = (lines: readonly string[]): readonly string[] => lines.map((line) => line.toLowerCase());
      expect([file, ...lower(describeOwn(own ?? { entries: [] }))]).toEqual([
        file,
        ...lower(describeRecorded(recorded)),
      ]);
    }
  },
);

test("each filter is shown with the rules that it has", () => {
  const node = nodeOn(makeMachine());
  for (const { name, uuid } of listFilters(node)) {
    const shown = parseDocument(new TextEncoder().encode(getFilterXml(node, uuid)));
    const [id, ...children] = shown.children;
    expect(id?.tag).toBe("uuid");
    const [, ...rules] = describeRecorded({ ...shown, children });
    const [, ...own] = describeOwn(FILTERS.get(name) ?? { entries: [] });
    expect([name, ...rules]).toEqual([name, ...own]);
  }
});
