import { bitsOf, type Family, familyOf, numberOf } from "../../../network/address/ip-address.ts";
import { broadcastOf } from "../../../network/address/subnet.ts";
import type { BridgeRoute, HostBridge } from "../../../network/bridge/host-bridge.ts";
import { record } from "../calls/byte-records.ts";
import { EAFNOSUPPORT, EEXIST, ENOENT } from "../calls/errno.ts";
import { cString, hostCallError } from "../calls/libc.ts";
import { attribute, number32, type RouteMessage, tellRoute } from "./netlink.ts";

/** linux/socket.h, linux/rtnetlink.h */
const FAMILIES = { ipv4: 2, ipv6: 10 } as const;
const RTM_NEWADDR = 20;
const RTM_NEWROUTE = 24;
const RTM_NEWRULE = 32;
const RTM_DELRULE = 33;
/** linux/if_addr.h */
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_BROADCAST = 4;
/** linux/rtnetlink.h */
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PRIORITY = 6;
const RT_TABLE_MAIN = 254;
const RTPROT_BOOT = 3;
const RT_SCOPE_UNIVERSE = 0;
const RTN_UNICAST = 1;
/** linux/fib_rules.h */
const FRA_IIFNAME = 3;
const FRA_PRIORITY = 6;
const FRA_PROTOCOL = 21;
const FR_ACT_BLACKHOLE = 6;

/**
 * Priority of svirt's rules: directly after the rule for the host's own addresses, which has 0. ip-rule(8)
 */
const PRIORITY = 1;
/** Origin of svirt's rules, in `ip rule`. */
const PROTOCOL = 118;

type Device = Pick<HostBridge, "name"> & { readonly index: number };
type Address = HostBridge["addresses"][number];

/** Adds an address of the host to a bridge. Throws "host-call". virNetDevIPAddrAdd() of libvirt */
export function addAddress(fd: number, { index, name }: Device, { address, prefix }: Address): void {
  const family = familyOf(address);
  const bytes = addressBytes(address);
  const errno = tellRoute(fd, {
    type: RTM_NEWADDR,
    head: record([8, FAMILIES[family]], [8, prefix], [8, 0], [8, RT_SCOPE_UNIVERSE], [32, index]),
    isNew: true,
    attributes: [
      attribute(IFA_LOCAL, bytes),
      attribute(IFA_ADDRESS, bytes),
      ...(family === "ipv4" ? [attribute(IFA_BROADCAST, addressBytes(broadcastOf(address, prefix)))] : []),
    ],
  });
  if (errno !== 0) throw hostCallError(`add IP address ${address}/${prefix} to ${name}`, errno);
}

/** Adds a route by a gateway that a bridge reaches. Throws "host-call". virNetDevIPRouteAdd() of libvirt */
export function addRoute(
  fd: number,
  { index, name }: Device,
  { address, gateway, metric, prefix }: BridgeRoute,
): void {
  const head = record(
    ...(
      [
        FAMILIES[familyOf(gateway)],
        prefix,
        0,
        0,
        RT_TABLE_MAIN,
        RTPROT_BOOT,
        RT_SCOPE_UNIVERSE,
        RTN_UNICAST,
      ] as const
    ).map((value) => [8, value] as const),
    [32, 0],
  );
  const errno = tellRoute(fd, {
    type: RTM_NEWROUTE,
    head,
    isNew: true,
    attributes: [
      ...(prefix === 0 ? [] : [attribute(RTA_DST, addressBytes(address))]),
      attribute(RTA_GATEWAY, addressBytes(gateway)),
      attribute(RTA_OIF, number32(index)),
      attribute(RTA_PRIORITY, number32(metric)),
    ],
  });
  if (errno !== 0) throw hostCallError(`add the route to ${address}/${prefix} to ${name}`, errno);
}

/**
 * Makes the kernel drop packets that come from a bridge and are not for the host, by a rule for each family.
 * The rule does not depend on the host's settings of forwarding, nor on a packet filter. Throws "host-call".
 * ip-rule(8)
 */
export function isolate(fd: number, name: string): void {
  for (const family of ["ipv4", "ipv6"] as const) {
    const errno = tellRoute(fd, { ...isolationRule(RTM_NEWRULE, family, name), isNew: true });
    // A rule that an interrupted call has left serves as well. A kernel without IPv6 forwards none.
    if (errno === 0 || errno === EEXIST || (family === "ipv6" && errno === EAFNOSUPPORT)) continue;
    throw hostCallError(`isolate the bridge ${name} (${family})`, errno);
  }
}

/** Removes the rules of isolate(). Missing rules are no error. Throws "host-call". */
export function endIsolation(fd: number, name: string): void {
  for (const family of ["ipv4", "ipv6"] as const) {
    const errno = tellRoute(fd, isolationRule(RTM_DELRULE, family, name));
    if (errno === 0 || errno === ENOENT || errno === EAFNOSUPPORT) continue;
    throw hostCallError(`remove the rule of the bridge ${name} (${family})`, errno);
  }
}

/** Formats struct fib_rule_hdr: family, lengths of addresses, tos, table, two reserved, action, flags. */
function isolationRule(type: number, family: Family, name: string): RouteMessage {
  return {
    type,
    head: record(
      ...[FAMILIES[family], 0, 0, 0, 0, 0, 0, FR_ACT_BLACKHOLE].map((value) => [8, value] as const),
      [32, 0],
    ),
    attributes: [
      attribute(FRA_IIFNAME, cString(name)),
      attribute(FRA_PRIORITY, number32(PRIORITY)),
      attribute(FRA_PROTOCOL, new Uint8Array([PROTOCOL])),
    ],
  };
}

/** Formats an address in network byte order. */
function addressBytes(address: string): Uint8Array {
  const bytes = bitsOf(familyOf(address)) / 8;
  return Uint8Array.fromHex(
    numberOf(address)
      .toString(16)
      .padStart(bytes * 2, "0"),
  );
}
