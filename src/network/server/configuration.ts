import { sizeOf } from "../address/address-range.ts";
import { familyOf } from "../address/ip-address.ts";
import { netmaskOf, prefixOf, reverseDomain } from "../address/subnet.ts";
import type { Dns } from "../forms/dns.ts";
import type { NetworkIp } from "../forms/ip.ts";
import { modeOf } from "../forms/mode-rules.ts";
import type { Network } from "../forms/network.ts";
import { formatDhcpHosts, formatDnsHosts, formatLease } from "./hosts.ts";

/** Paths of the files of a network's server. */
export interface ServerPaths {
  readonly configuration: string;
  readonly pid: string;
  readonly leases: string;
  readonly dhcpHosts: string;
  readonly dnsHosts: string;
}

/** Returns the paths of a server's files in its folder. */
export function serverPaths(folder: string): ServerPaths {
  return {
    configuration: `${folder}/dnsmasq.conf`,
    pid: `${folder}/pid`,
    leases: `${folder}/leases`,
    dhcpHosts: `${folder}/hostsfile`,
    dnsHosts: `${folder}/addnhosts`,
  };
}

/** Texts of a server's files, by their paths. */
export function formatServerFiles(network: Network, paths: ServerPaths): ReadonlyMap<string, string> {
  return new Map([
    [paths.configuration, formatConfiguration(network, paths)],
    [paths.dhcpHosts, formatDhcpHosts(servedIps(network))],
    [paths.dnsHosts, formatDnsHosts(network.dns)],
  ]);
}

/** Formats the configuration of dnsmasq as libvirt does. networkDnsmasqConfContents() of libvirt */
function formatConfiguration(network: Network, paths: ServerPaths): string {
  const { bridge, dns, domain, ips, mtu } = network;
  const hasDns = dns?.enable !== false;
  const served = servedIps(network);
  const lines = [
    "## Written by svirt. Change the network instead: svirt net-edit, svirt net-update",
    "strict-order",
    ...(hasDns ? [] : ["port=0"]),
    ...(hasDns ? formatForwarders(dns) : []),
    ...formatDomain(domain),
    ...(hasDns ? ips.flatMap(formatLocalPtr) : []),
    ...(hasDns && dns?.forwardPlainNames === false ? ["domain-needed", "local=//"] : []),
    `pid-file=${paths.pid}`,
    "except-interface=lo",
    "bind-dynamic",
    `interface=${bridge?.name ?? ""}`,
    // No default route and no names from outside.
    ...(modeOf(network) === "none" ? ["dhcp-option=3", "no-resolv", "ra-param=*,0,0"] : []),
    ...(hasDns ? formatRecords(dns) : []),
    ...formatTftp(ips),
    ...served.flatMap(formatDhcp),
    ...formatMost(served),
    ...(served.length === 0 ? [] : [`dhcp-hostsfile=${paths.dhcpHosts}`]),
    ...(hasDns ? [`addn-hosts=${paths.dnsHosts}`] : []),
    ...(mtu === undefined ? [] : [`dhcp-option=option:mtu,${mtu.size}`]),
    ...formatAdvertisements(ips),
  ];
  return `${lines.join("\n")}\n`;
}

/** Returns the addresses with DHCP, at most an address of each family: IPv4 first. */
function servedIps({ ips }: Network): readonly NetworkIp[] {
  const served = ips.filter(isServed);
  return (["ipv4", "ipv6"] as const).flatMap(
    (family) => served.find(({ address }) => familyOf(address) === family) ?? [],
  );
}

function isServed({ dhcp }: NetworkIp): boolean {
  return dhcp !== undefined && (dhcp.ranges.length > 0 || dhcp.hosts.length > 0);
}

function formatDomain(domain: Network["domain"]): readonly string[] {
  if (domain === undefined) return [];
  return [
    ...(domain.localOnly === true ? [`local=/${domain.name}/`] : []),
    `domain=${domain.name}`,
    "expand-hosts",
  ];
}

function formatForwarders(dns: Dns | undefined): readonly string[] {
  const forwarders = dns?.forwarders ?? [];
  // An address without a domain is asked for all names, so the host's servers are not.
  const isComplete = forwarders.some(({ addr, domain }) => addr !== undefined && domain === undefined);
  return [
    ...forwarders.map(
      ({ addr = "#", domain }) => `server=${domain === undefined ? "" : `/${domain}/`}${addr}`,
    ),
    ...(isComplete ? ["no-resolv"] : []),
  ];
}

/** networkDnsmasqConfLocalPTRs() of libvirt */
function formatLocalPtr(ip: NetworkIp): readonly string[] {
  const zone = ip.localPtr === true ? reverseDomain(ip.address, prefixOf(ip) ?? 0) : undefined;
  return zone === undefined ? [] : [`local=/${zone}/`];
}

function formatRecords(dns: Dns | undefined): readonly string[] {
  return [
    ...(dns?.txts ?? []).map(({ name, value }) => `txt-record=${name},${value}`),
    ...(dns?.srvs ?? []).map(formatSrv),
  ];
}

/** Formats a service. A target "." says that the domain does not offer it. RFC 2782 */
function formatSrv({
  domain,
  port,
  priority = 0,
  protocol,
  service,
  target,
  weight = 0,
}: Dns["srvs"][number]): string {
  const name = `srv-host=_${service}._${protocol}${domain === undefined ? "" : `.${domain}`}`;
  if (target === undefined || target === ".") return name;
  const isRanked = priority !== 0 || weight !== 0;
  return [
    name,
    target,
    ...(port !== undefined || isRanked ? [port ?? 1] : []),
    ...(isRanked ? [priority] : []),
    ...(weight === 0 ? [] : [weight]),
  ].join(",");
}

function formatTftp(ips: readonly NetworkIp[]): readonly string[] {
  const roots = ips.flatMap(({ tftp }) => (tftp === undefined ? [] : [`tftp-root=${tftp.root}`]));
  return roots.length === 0 ? [] : ["enable-tftp", ...roots];
}

/** networkDnsmasqConfDHCP() of libvirt */
function formatDhcp(ip: NetworkIp): readonly string[] {
  const { address, dhcp } = ip;
  const { bootp, hosts = [], ranges = [] } = dhcp ?? {};
  const prefix = prefixOf(ip) ?? 0;
  const isIpv6 = familyOf(address) === "ipv6";
  const size = isIpv6 ? String(prefix) : netmaskOf(prefix);
  return [
    ...ranges.map(({ end, lease, start }) =>
      [`dhcp-range=${start}`, end, size, ...formatLease(lease)].join(","),
    ),
    ...(ranges.length === 0 && hosts.length > 0
      ? [`dhcp-range=${address},static${isIpv6 ? `,${prefix}` : ""}`]
      : []),
    ...(isIpv6 ? [] : ["dhcp-no-override", "dhcp-authoritative"]),
    ...(bootp === undefined
      ? []
      : [`dhcp-boot=${bootp.file}${bootp.server === undefined ? "" : `,,${bootp.server}`}`]),
  ];
}

function formatMost(served: readonly NetworkIp[]): readonly string[] {
  const most = served
    .flatMap(({ dhcp }) => dhcp?.ranges ?? [])
    .reduce((sum, range) => sum + sizeOf(range), 0);
  return most === 0 ? [] : [`dhcp-lease-max=${most}`];
}

/** Formats the router advertisements of IPv6. */
function formatAdvertisements(ips: readonly NetworkIp[]): readonly string[] {
  const ipv6 = ips.filter(({ address }) => familyOf(address) === "ipv6");
  if (ipv6.some(isServed)) return ["enable-ra"];
  return ipv6.map(({ address }) => `dhcp-range=${address},ra-only`);
}
