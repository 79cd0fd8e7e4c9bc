import { SvirtError } from "../../../errors.ts";
import type { Macvtap } from "../../../plan/facts/tap.ts";
import { EEXIST, ENODEV, EOPNOTSUPP } from "../calls/errno.ts";
import { cString, hostCallError } from "../calls/libc.ts";
import { disableIpv6 } from "./disable-ipv6.ts";
import { attribute, findLink, macBytes, nested, number32, tell, withRoutes } from "./netlink.ts";
import {
  AF_UNSPEC,
  IFF_UP,
  IFLA_ADDRESS,
  IFLA_GROUP,
  IFLA_IFNAME,
  IFLA_INFO_DATA,
  IFLA_INFO_KIND,
  IFLA_LINKINFO,
  RTM_DELLINK,
  RTM_NEWLINK,
  RTM_SETLINK,
} from "./rtnetlink.ts";

/** linux/if_link.h */
const IFLA_LINK = 5;
const IFLA_MACVLAN_MODE = 1;
const MODES = { private: 1, vepa: 2, bridge: 4, passthrough: 8 } as const;

/**
 * Implements Host.makeMacvtap. Sets the group at creation, so that a call after a crash recognizes the
 * device.
 */
export function makeMacvtap({ group, lower, mac, mode, name }: Macvtap): void {
  withRoutes((fd) => {
    const under = findLink(fd, lower);
    if (under === undefined) throw hostCallError(`find the network device ${lower}`, ENODEV);
    const made = tell(fd, {
      type: RTM_NEWLINK,
      family: AF_UNSPEC,
      index: 0,
      isNew: true,
      attributes: [
        attribute(IFLA_IFNAME, cString(name)),
        attribute(IFLA_ADDRESS, macBytes(mac)),
        attribute(IFLA_LINK, number32(under.index)),
        attribute(IFLA_GROUP, number32(group)),
        nested(IFLA_LINKINFO, [
          attribute(IFLA_INFO_KIND, cString("macvtap")),
          nested(IFLA_INFO_DATA, [attribute(IFLA_MACVLAN_MODE, number32(MODES[mode]))]),
        ]),
      ],
    });
    if (made !== 0) throw cannotMake(name, lower, made);
    disableIpv6(name);
    const index = findLink(fd, name)?.index ?? 0;
    const set = { type: RTM_SETLINK, family: AF_UNSPEC, index };
    // In passthrough mode a macvtap has the lower device's address at first, and a new address is set on
    // both. The kernel restores the lower device's address when the macvtap is removed.
    const told =
      tell(fd, { ...set, attributes: [attribute(IFLA_ADDRESS, macBytes(mac))] }) ||
      tell(fd, { ...set, flags: IFF_UP, attributes: [] });
    if (told !== 0) throw hostCallError(`set up the macvtap ${name} on ${lower}`, told);
  });
}

/** Implements Host.removeMacvtap. */
export function removeMacvtap({ group, name }: Pick<Macvtap, "name" | "group">): void {
  withRoutes((fd) => {
    const link = findLink(fd, name);
    if (link === undefined || link.group !== group) return;
    const { index } = link;
    const errno = tell(fd, { type: RTM_DELLINK, family: AF_UNSPEC, index, attributes: [] });
    if (errno !== 0 && errno !== ENODEV) throw hostCallError(`remove the macvtap ${name}`, errno);
  });
}

/** Returns the device node of a macvtap, named by its index. drivers/net/macvtap.c of Linux */
export function macvtapNode(name: string): string {
  return withRoutes((fd) => {
    const link = findLink(fd, name);
    if (link === undefined) throw hostCallError(`find the macvtap ${name}`, ENODEV);
    return `/dev/tap${link.index}`;
  });
}

function cannotMake(name: string, lower: string, errno: number): SvirtError {
  if (errno === EOPNOTSUPP) {
    return new SvirtError(`Cannot create the macvtap ${name}: the kernel has no macvtap module`, {
      kind: "unsupported",
      remedy: "Run: modprobe macvtap",
    });
  }
  if (errno === EEXIST) {
    return new SvirtError(`Cannot create the macvtap ${name}: a network device of that name exists`, {
      kind: "in-use",
      remedy: "Write another name into <target dev='…'/>, or leave <target> out.",
    });
  }
  return hostCallError(`create the macvtap ${name} on ${lower}`, errno);
}
