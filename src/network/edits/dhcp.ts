import { readWhole } from "../../xml/read-whole.ts";
import { familyOf } from "../address/ip-address.ts";
import { type DhcpHost, host, hostSearch, range, refuseUnknownHost } from "../forms/dhcp.ts";
import type { NetworkIp } from "../forms/ip.ts";
import type { Network } from "../forms/network.ts";
import type { Edit } from "./edit.ts";
import {
  DELETE_AND_ADD,
  insertEntry,
  invalidEdit,
  isAdd,
  replaceEntry,
  unsupportedEdit,
  withoutEntry,
} from "./lists.ts";

type Dhcp = NonNullable<NetworkIp["dhcp"]>;

/** Adds, replaces or removes a guest's fixed address. virNetworkDefUpdateIPDHCPHost() of libvirt */
export function editDhcpHost(network: Network, { command, node, parentIndex }: Edit): Network {
  const place = findIp(network, parentIndex);
  const hosts = place.dhcp.hosts;
  const { name } = network;
  if (command === "delete") {
    const meant = readWhole(hostSearch, node);
    const at = hosts.findIndex((found) => hasAll(found, meant));
    if (at !== -1) return replaceDhcp(network, place, { hosts: withoutEntry(hosts, at) });
    throw invalidEdit(network, `couldn't locate a matching dhcp host entry in network '${name}'`);
  }
  const given = readWhole(host, node);
  const family = familyOf(place.ip.address);
  refuseUnknownHost(given, { isIpv6: family === "ipv6", node, within: "" });
  refuseOtherFamily(network, familyOf(given.ip) === family, "a host entry IP");
  const at = hosts.findIndex((found) => hasAny(found, given));
  const [mac, named] = [given.mac ?? "unknown", given.name ?? "unknown"];
  if (command === "modify") {
    if (at !== -1) return replaceDhcp(network, place, { hosts: replaceEntry(hosts, at, given) });
    throw invalidEdit(
      network,
      `couldn't locate an existing dhcp host entry with "mac='${mac}'" "name='${named}'" "ip='${given.ip}'" in network '${name}'`,
    );
  }
  refuseSecondDhcp(network, place);
  if (at === -1) return replaceDhcp(network, place, { hosts: insertEntry(hosts, given, command) });
  throw invalidEdit(
    network,
    `there is an existing dhcp host entry in network '${name}' that matches "<host mac='${mac}' name='${named}' ip='${given.ip}'/>"`,
  );
}

/** Adds or removes a range of addresses. virNetworkDefUpdateIPDHCPRange() of libvirt */
export function editDhcpRange(network: Network, { command, node, parentIndex }: Edit): Network {
  const place = findIp(network, parentIndex);
  if (command === "modify")
    throw unsupportedEdit("dhcp ranges cannot be modified, only added or deleted", DELETE_AND_ADD);
  const given = readWhole(range, node);
  const isOfFamily = familyOf(given.start) === familyOf(place.ip.address);
  refuseOtherFamily(network, isOfFamily, "a dhcp range");
  const { ranges } = place.dhcp;
  const at = ranges.findIndex(({ end, start }) => start === given.start && end === given.end);
  const { name } = network;
  if (isAdd(command)) {
    refuseSecondDhcp(network, place);
    if (at === -1) return replaceDhcp(network, place, { ranges: insertEntry(ranges, given, command) });
    throw invalidEdit(
      network,
      `there is an existing dhcp range entry in network '${name}' that matches "<range start='${given.start}' end='${given.end}'/>"`,
    );
  }
  if (at !== -1) return replaceDhcp(network, place, { ranges: withoutEntry(ranges, at) });
  throw invalidEdit(network, `couldn't locate a matching dhcp range entry in network '${name}'`);
}

/** An `<ip>` with a `<dhcp>` to edit. */
interface Place {
  readonly at: number;
  readonly ip: NetworkIp;
  readonly dhcp: Dhcp;
}

/** Returns the numbered `<ip>`, or the `<ip>` with DHCP, or the first. virNetworkIPDefByIndex() of libvirt */
function findIp(network: Network, parentIndex: number | undefined): Place {
  const { ips, name } = network;
  const served = ips.findIndex(servesDhcp);
  const first = ips.findIndex(({ address }) => familyOf(address) === "ipv4");
  const at = parentIndex ?? (served === -1 ? Math.max(first, 0) : served);
  const ip = ips[at];
  if (ip !== undefined) return { at, ip, dhcp: ip.dhcp ?? { ranges: [], hosts: [] } };
  const which = parentIndex === undefined ? "" : `at index ${parentIndex} `;
  throw invalidEdit(
    network,
    `couldn't update dhcp host entry - no <ip> element found ${which}in network '${name}'`,
  );
}

function servesDhcp({ dhcp }: NetworkIp): boolean {
  return (dhcp?.ranges.length ?? 0) + (dhcp?.hosts.length ?? 0) > 0;
}

/** virNetworkDefUpdateCheckMultiDHCP() of libvirt */
function refuseSecondDhcp(network: Network, { at, ip }: Place): void {
  const family = familyOf(ip.address);
  const isOther = network.ips.some(
    (found, other) => other !== at && familyOf(found.address) === family && servesDhcp(found),
  );
  if (!isOther) return;
  const shown = family === "ipv4" ? "IPv4" : "IPv6";
  throw invalidEdit(network, `dhcp is supported only for a single ${shown} address on each network`);
}

function refuseOtherFamily(network: Network, isSame: boolean, entry: string): void {
  if (isSame) return;
  throw invalidEdit(
    network,
    `the address family of ${entry} must match the address family of the dhcp element's parent`,
  );
}

type Identity = Partial<Pick<DhcpHost, "mac" | "name" | "ip">>;

/** Whether an entry has an address or a name of the other. */
function hasAny(found: DhcpHost, { ip, mac, name }: Identity): boolean {
  return (
    (mac !== undefined && isSameMac(found.mac, mac)) ||
    (name !== undefined && found.name === name) ||
    (ip !== undefined && found.ip === ip)
  );
}

/** Whether an entry has all addresses and names of the other. An entry without a MAC address has any. */
function hasAll(found: DhcpHost, { ip, mac, name }: Identity): boolean {
  return (
    (mac === undefined || found.mac === undefined || isSameMac(found.mac, mac)) &&
    (name === undefined || found.name === name) &&
    (ip === undefined || found.ip === ip)
  );
}

function isSameMac(one: string | undefined, other: string): boolean {
  return one?.toLowerCase() === other.toLowerCase();
}

function replaceDhcp(network: Network, { at, dhcp, ip }: Place, entries: Partial<Dhcp>): Network {
  return { ...network, ips: replaceEntry(network.ips, at, { ...ip, dhcp: { ...dhcp, ...entries } }) };
}
