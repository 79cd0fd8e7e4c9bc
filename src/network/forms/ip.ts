import { checked, element, paired, rewritten, type ValueOf } from "../../xml/element.ts";
import { attribute, child, required } from "../../xml/field.ts";
import type { XmlNode } from "../../xml/node.ts";
import { numbered } from "../../xml/numbered.ts";
import { integer, oneOf, yesNo } from "../../xml/value-form.ts";
import { problemInNetwork } from "../address/dhcp-range.ts";
import { bitsOf, familyOf } from "../address/ip-address.ts";
import { networkOf, prefixOf } from "../address/subnet.ts";
import { dhcp, refuseUnknownHost, tftp } from "./dhcp.ts";
import { refusePart } from "./refuse-part.ts";
import { ipAddress, ipv4Address } from "./text.ts";

const family = attribute("family", oneOf("ipv4", "ipv6"));
const prefix = attribute("prefix", integer(0, 128));

const written = element("ip", () => ({
  family,
  address: required(attribute("address", ipAddress)),
  netmask: attribute("netmask", ipv4Address),
  prefix,
  localPtr: attribute("localPtr", yesNo),
  tftp: child(tftp),
  dhcp: child(dhcp),
}));

/** `<ip>`, https://libvirt.org/formatnetwork.html#addressing. virNetworkIPDefParseXML() of libvirt */
export const ip = paired(
  rewritten(
    checked(written, refuseContradictions),
    ({ prefix: bits, dhcp: found, ...value }): NetworkIp => ({
      ...value,
      ...(bits === undefined || bits === 0 ? {} : { prefix: bits }),
      ...(found === undefined || isEmpty(found) ? {} : { dhcp: found }),
    }),
  ),
);

/** Address of the host in a network, with the addresses that it gives to guests. */
export type NetworkIp = ValueOf<typeof written>;

const writtenRoute = element("route", () => ({
  family,
  address: required(attribute("address", ipAddress)),
  netmask: attribute("netmask", ipv4Address),
  prefix,
  gateway: required(attribute("gateway", ipAddress)),
  metric: attribute("metric", integer(1, 2 ** 32 - 1)),
}));

/** `<route>`, https://libvirt.org/formatnetwork.html#static-routes. virNetDevIPRouteCreate() of libvirt */
export const route = checked(writtenRoute, (value, node) => {
  refuseOtherFamily(value, node);
  if ((value.family ?? "ipv4") !== familyOf(value.gateway)) {
    refusePart(node, "@gateway", {
      why: `${value.gateway} is not of the route's family`,
      remedy: "Write a gateway of that family.",
    });
  }
  // A route without a size has prefix 0. Only the address 0.0.0.0 or :: is that network's.
  const bits = value.netmask === undefined ? (value.prefix ?? 0) : (prefixOf(value) ?? 0);
  if (networkOf(value.address, bits) === value.address) return;
  refusePart(node, "@address", {
    why: `${value.address} is not the address of a network with prefix ${bits}`,
    remedy: `Write ${networkOf(value.address, bits)}, or another prefix.`,
  });
});

/** Route to a network behind a guest. */
export type Route = ValueOf<typeof writtenRoute>;

function refuseContradictions(value: NetworkIp, node: XmlNode): void {
  refuseOtherFamily(value, node);
  if (familyOf(value.address) === "ipv6") refuseIpv4Services(value, node);
  refuseOtherRanges(value, node);
  refuseOtherHosts(value, node);
}

function refuseIpv4Services({ dhcp: found, tftp: files }: NetworkIp, node: XmlNode): void {
  const why = "only IPv4 has it";
  if (files !== undefined) refusePart(node, "tftp", { why, remedy: "Leave <tftp> out of <ip>." });
  if (found?.bootp !== undefined) {
    refusePart(node, "dhcp/bootp", { why, remedy: "Leave <bootp> out of <dhcp>." });
  }
}

function refuseOtherRanges(value: NetworkIp, node: XmlNode): void {
  const ranges = value.dhcp?.ranges ?? [];
  for (const [at, found] of ranges.entries()) {
    const why = problemInNetwork(found, value);
    if (why === undefined) continue;
    refusePart(node, `dhcp/${numbered("range", ranges, at)}`, {
      why,
      remedy: "Write the first and the last address for guests, both of this network.",
    });
  }
}

function refuseOtherHosts(value: NetworkIp, node: XmlNode): void {
  const hosts = value.dhcp?.hosts ?? [];
  const own = familyOf(value.address);
  for (const [at, found] of hosts.entries()) {
    const place = `dhcp/${numbered("host", hosts, at)}`;
    refuseUnknownHost(found, { isIpv6: own === "ipv6", node, within: `${place}/` });
    if (familyOf(found.ip) === own) continue;
    refusePart(node, `${place}/@ip`, {
      why: `it is not of the family of ${value.address}`,
      remedy: "Write an address of this network.",
    });
  }
}

interface Sized {
  readonly family?: "ipv4" | "ipv6";
  readonly address: string;
  readonly netmask?: string;
  readonly prefix?: number;
}

/**
 * Refuses an address without its family, and a size that the family does not have. An absent family is ipv4.
 */
function refuseOtherFamily({ address, family: named, netmask, prefix: bits }: Sized, node: XmlNode): void {
  const found = familyOf(address);
  if ((named ?? "ipv4") !== found) {
    refusePart(node, "@family", {
      why: `${address} is an address of ${found}`,
      remedy: `Write family='${found}'.`,
    });
  }
  if (netmask !== undefined && found === "ipv6") {
    refusePart(node, "@netmask", { why: "IPv6 has prefixes alone", remedy: "Write prefix instead." });
  }
  if (netmask !== undefined && (bits ?? 0) > 0) {
    refusePart(node, "@prefix", { why: "there is a netmask too", remedy: "Write only one of the two." });
  }
  if (netmask !== undefined && prefixOf({ address, netmask }) === undefined) {
    refusePart(node, "@netmask", { why: `${netmask} has gaps`, remedy: "Write prefix instead." });
  }
  if ((bits ?? 0) > bitsOf(found)) {
    refusePart(node, "@prefix", {
      why: `an address of ${found} has ${bitsOf(found)} bits`,
      remedy: "Write a smaller prefix.",
    });
  }
}

function isEmpty({ bootp, hosts, ranges }: NonNullable<NetworkIp["dhcp"]>): boolean {
  return bootp === undefined && hosts.length === 0 && ranges.length === 0;
}
