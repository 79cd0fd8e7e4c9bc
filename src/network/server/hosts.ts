import { familyOf } from "../address/ip-address.ts";
import type { DhcpHost } from "../forms/dhcp.ts";
import type { Dns } from "../forms/dns.ts";
import type { NetworkIp } from "../forms/ip.ts";

/** Formats the file of guests with fixed addresses. hostsfileAdd() in virdnsmasq.c of libvirt */
export function formatDhcpHosts(served: readonly NetworkIp[]): string {
  return served
    .flatMap(({ address, dhcp }) =>
      (dhcp?.hosts ?? []).map((host) => `${formatHost(host, familyOf(address) === "ipv6")}\n`),
    )
    .join("");
}

function formatHost({ id, ip, lease, mac, name }: DhcpHost, isIpv6: boolean): string {
  const fields = isIpv6
    ? [...(id === undefined ? [] : [`id:${id}`]), ...optional(name), `[${ip}]`]
    : formatIpv4Host({ ip, mac, name });
  return [...fields, ...formatLease(lease)].join(",");
}

function formatIpv4Host({ ip, mac, name }: Pick<DhcpHost, "ip"> & Known): readonly string[] {
  return mac === undefined ? [...optional(name), ip] : [mac, ip, ...optional(name)];
}

interface Known {
  readonly mac: string | undefined;
  readonly name: string | undefined;
}

function optional(text: string | undefined): readonly string[] {
  return text === undefined ? [] : [text];
}

/** Formats the time of a lease, with its unit as dnsmasq abbreviates it; nothing without a time. */
export function formatLease(lease: DhcpHost["lease"]): readonly string[] {
  if (lease?.expiry === undefined) return [];
  return [lease.expiry === 0 ? "infinite" : `${lease.expiry}${(lease.unit ?? "minutes")[0] ?? ""}`];
}

/**
 * Formats the file of names, a line for each address. addnhostsAdd() and addnhostsWrite() in virdnsmasq.c of
 * libvirt
 */
export function formatDnsHosts(dns: Dns | undefined): string {
  const names = new Map<string, readonly string[]>();
  for (const { ip, names: added } of dns?.hosts ?? [])
    names.set(ip, [...(names.get(ip) ?? []), ...added.map(({ name }) => name)]);
  return [...names].map(([ip, found]) => `${ip}\t${found.map((name) => `${name}\t`).join("")}\n`).join("");
}
