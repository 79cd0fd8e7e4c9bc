import { existsSync } from "node:fs";
import { SvirtError } from "../../../errors.ts";
import { familyOf } from "../../../network/address/ip-address.ts";
import type { BridgeMark, HostBridge } from "../../../network/bridge/host-bridge.ts";
import { EEXIST, ENODEV, EOPNOTSUPP } from "../calls/errno.ts";
import { cString, hostCallError } from "../calls/libc.ts";
import { writeControl } from "../files/write-control.ts";
import { addAddress, addRoute, endIsolation, isolate } from "./bridge-routes.ts";
import {
  attribute,
  findLink,
  type Link,
  type LinkMessage,
  macBytes,
  nested,
  number32,
  tell,
  withRoutes,
} from "./netlink.ts";
import {
  AF_UNSPEC,
  IFF_UP,
  IFLA_ADDRESS,
  IFLA_GROUP,
  IFLA_IFNAME,
  IFLA_INFO_DATA,
  IFLA_INFO_KIND,
  IFLA_LINKINFO,
  IFLA_MTU,
  RTM_DELLINK,
  RTM_NEWLINK,
  RTM_SETLINK,
} from "./rtnetlink.ts";
import { addQueue } from "./traffic-queue.ts";

/** linux/if_link.h */
const IFLA_BR_FORWARD_DELAY = 1;
const IFLA_BR_STP_STATE = 5;
const IFLA_BR_MCAST_SNOOPING = 23;
/**
 * The kernel counts a bridge's times in USER_HZ, in 32 bits. It limits the delay of a running protocol
 * itself.
 */
const [TICKS_PER_SECOND, MOST_TICKS] = [100, 2 ** 32 - 1];

/** Link group of svirt's bridges. libvirt's have group 0. */
const BRIDGE_GROUP = 0x73766272;

/**
 * Implements Host.makeBridge. Sets group and address at creation: a call after a crash recognizes the bridge.
 * Brings it up after its addresses, and last adds routes, since it must reach their gateways.
 * networkStartNetworkVirtual() of libvirt
 */
export function makeBridge(bridge: HostBridge): void {
  const { addresses, inbound, isIsolated, mtu, name, routes } = bridge;
  withRoutes((fd) => {
    create(fd, bridge);
    const index = findLink(fd, name)?.index ?? 0;
    const set = (attempt: string, message: Pick<LinkMessage, "flags" | "attributes">): void => {
      const errno = tell(fd, { type: RTM_SETLINK, family: AF_UNSPEC, index, ...message });
      if (errno !== 0) throw hostCallError(`${attempt} the bridge ${name}`, errno);
    };
    // A bridge that gets its MTU at creation adopts the smallest MTU of its ports. br_mtu_auto_adjust() of
    // Linux
    if (mtu !== undefined) set("set the MTU of", { attributes: [attribute(IFLA_MTU, number32(mtu))] });
    setIpv6(bridge);
    if (isIsolated) isolate(fd, name);
    for (const address of addresses) addAddress(fd, { name, index }, address);
    if (inbound !== undefined) addQueue({ fd, name, index }, inbound, "bridge");
    set("bring up", { flags: IFF_UP, attributes: [] });
    for (const route of routes) addRoute(fd, { name, index }, route);
  });
}

/**
 * Implements Host.removeBridge. The kernel removes addresses and routes with the bridge, and releases its
 * ports.
 */
export function removeBridge(mark: BridgeMark): void {
  withRoutes((fd) => {
    const link = findLink(fd, mark.name);
    // The rule stays until the bridge is gone: no guest reaches the host's networks meanwhile.
    if (link !== undefined && isOurs(link, mark)) {
      const { index } = link;
      const errno = tell(fd, { type: RTM_DELLINK, family: AF_UNSPEC, index, attributes: [] });
      if (errno !== 0 && errno !== ENODEV) throw hostCallError(`remove the bridge ${mark.name}`, errno);
    }
    endIsolation(fd, mark.name);
  });
}

function isOurs({ address, group }: Link, { mac }: BridgeMark): boolean {
  return group === BRIDGE_GROUP && address.toHex() === macBytes(mac).toHex();
}

function create(fd: number, { delaySeconds, mac, name, stp }: HostBridge): void {
  const errno = tell(fd, {
    type: RTM_NEWLINK,
    family: AF_UNSPEC,
    index: 0,
    isNew: true,
    attributes: [
      attribute(IFLA_IFNAME, cString(name)),
      attribute(IFLA_ADDRESS, macBytes(mac)),
      attribute(IFLA_GROUP, number32(BRIDGE_GROUP)),
      nested(IFLA_LINKINFO, [
        attribute(IFLA_INFO_KIND, cString("bridge")),
        nested(IFLA_INFO_DATA, [
          attribute(IFLA_BR_FORWARD_DELAY, number32(Math.min(delaySeconds * TICKS_PER_SECOND, MOST_TICKS))),
          attribute(IFLA_BR_STP_STATE, number32(stp ? 1 : 0)),
          // A guest's query would decide which ports get the others' multicast. br_multicast_query_received()
          // of Linux
          attribute(IFLA_BR_MCAST_SNOOPING, new Uint8Array([0])),
        ]),
      ]),
    ],
  });
  if (errno !== 0) throw cannotMake(name, errno);
}

/**
 * Disables IPv6 on a bridge without an IPv6 address, and keeps guests from configuring the host by router
 * advertisements. A kernel without IPv6 has no such settings. networkSetIPv6Sysctls() of libvirt
 */
function setIpv6({ addresses, name }: HostBridge): void {
  const folder = `/proc/sys/net/ipv6/conf/${name}`;
  if (!existsSync(folder)) return;
  const hasIpv6 = addresses.some(({ address }) => familyOf(address) === "ipv6");
  writeControl(`${folder}/disable_ipv6`, hasIpv6 ? "0" : "1");
  writeControl(`${folder}/accept_ra`, "0");
  writeControl(`${folder}/autoconf`, "0");
}

/** virNetDevBridgeCreate() of libvirt */
function cannotMake(name: string, errno: number): SvirtError {
  if (errno === EEXIST) {
    return new SvirtError(`error creating bridge interface ${name}: File exists`, {
      kind: "in-use",
      libvirt: "SYSTEM_ERROR",
      remedy: `Write another name into <bridge name='…'/>, or remove the device if it is unused: ip link delete ${name}`,
    });
  }
  if (errno === EOPNOTSUPP) {
    return new SvirtError(`Cannot create the bridge ${name}: the kernel has no bridge module`, {
      kind: "unsupported",
      remedy: "Run: modprobe bridge",
    });
  }
  return hostCallError(`create the bridge ${name}`, errno);
}
