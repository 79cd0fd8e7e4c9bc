import { checked, element, rewritten, type ValueOf } from "../../xml/element.ts";
import { attribute, child, children, required } from "../../xml/field.ts";
import type { XmlNode } from "../../xml/node.ts";
import { integer, oneOf } from "../../xml/value-form.ts";
import { refusePart } from "./refuse-part.ts";
import { bootFile, dhcpHostName, duid, hostMac, ipAddress, tftpRoot } from "./text.ts";

/** Least lease in seconds. dnsmasq(8), --dhcp-range */
const LEAST_LEASE = 120;

const writtenLease = element("lease", () => ({
  expiry: attribute("expiry", integer(0, Number.MAX_SAFE_INTEGER)),
  unit: attribute("unit", oneOf("seconds", "minutes", "hours")),
}));
type Lease = ValueOf<typeof writtenLease>;

const SECONDS = { seconds: 1, minutes: 60, hours: 3600 };

/**
 * `<lease>`: the time for which an address is given; 0 is forever. virNetworkDHCPLeaseTimeDefParseXML() of
 * libvirt
 */
const lease = rewritten(
  checked(writtenLease, ({ expiry = 0, unit = "minutes" }, node) => {
    if (expiry === 0 || expiry * SECONDS[unit] >= LEAST_LEASE) return;
    refusePart(node, "@expiry", {
      why: "a lease has at least two minutes",
      remedy: "Write a longer time, or 0.",
    });
  }),
  ({ expiry, unit = "minutes" }): Lease => {
    if (expiry === undefined) return {};
    return expiry === 0 ? { expiry } : { expiry, unit };
  },
);

/** `<range>`: addresses for guests. virNetworkDHCPRangeDefParseXML() of libvirt */
export const range = rewritten(
  element("range", () => ({
    start: required(attribute("start", ipAddress)),
    end: required(attribute("end", ipAddress)),
    lease: child(lease),
  })),
  withoutEmptyLease,
);
const hostIdentity = () => ({
  mac: attribute("mac", hostMac),
  id: attribute("id", duid),
  name: attribute("name", dhcpHostName),
});

/** `<host>`: a guest with a fixed address. virNetworkDHCPHostDefParseXML() of libvirt */
export const host = rewritten(
  element("host", () => ({
    ...hostIdentity(),
    ip: required(attribute("ip", ipAddress)),
    lease: child(lease),
  })),
  withoutEmptyLease,
);
/** `<host>` naming an entry to remove: an entry with each of its attributes. */
export const hostSearch = checked(
  element("host", () => ({ ...hostIdentity(), ip: attribute("ip", ipAddress), lease: child(lease) })),
  ({ ip, mac, name }, node) => {
    if (mac !== undefined || name !== undefined || ip !== undefined) return;
    refusePart(node, "@mac", {
      why: "it is missing, and so are name and ip",
      remedy: "Write mac, name or ip there.",
    });
  },
);
const bootp = element("bootp", () => ({
  file: required(attribute("file", bootFile)),
  server: attribute("server", ipAddress),
}));

/** `<tftp>`: the folder of files served by the network. */
export const tftp = element("tftp", () => ({ root: required(attribute("root", tftpRoot)) }));

/** `<dhcp>`, https://libvirt.org/formatnetwork.html#addressing */
export const dhcp = element("dhcp", () => ({
  ranges: children(range),
  hosts: children(host),
  bootp: child(bootp),
}));

/** Guest with a fixed address. */
export type DhcpHost = ValueOf<typeof host>;

/**
 * Refuses a host that cannot be recognized in its family of addresses. `within` is its path below the node,
 * with a slash at its end. virNetworkDHCPHostDefParseXML() of libvirt
 */
export function refuseUnknownHost(
  { id, mac, name }: DhcpHost,
  { isIpv6, node, within }: { readonly isIpv6: boolean; readonly node: XmlNode; readonly within: string },
): void {
  if (isIpv6 && mac !== undefined) {
    refusePart(node, `${within}@mac`, {
      why: "a host of IPv6 has no MAC address",
      remedy: "Write id or name instead.",
    });
  }
  const known = isIpv6 ? "id" : "mac";
  if ((isIpv6 ? id : mac) !== undefined || name !== undefined) return;
  refusePart(node, `${within}@${known}`, {
    why: "it is missing, and so is name",
    remedy: `Write ${known} or name there.`,
  });
}

function withoutEmptyLease<T extends { readonly lease?: Lease }>({ lease: found, ...value }: T) {
  return { ...value, ...(found?.expiry === undefined ? {} : { lease: found }) } as T;
}
