import { ptr } from "bun:ffi";
import type { PortVlan, TapSetup } from "../../../plan/facts/tap.ts";
import { record } from "../calls/byte-records.ts";
import { callDevice, requestFor } from "../calls/device-call.ts";
import { ENODEV } from "../calls/errno.ts";
import { hostCallError, readErrno } from "../calls/libc.ts";
import { disableIpv6 } from "./disable-ipv6.ts";
import { dropBridgeFrames } from "./drop-bridge-frames.ts";
import {
  attribute,
  findLink,
  type LinkMessage,
  macBytes,
  nested,
  number32,
  tell,
  withRoutes,
} from "./netlink.ts";
import { AF_UNSPEC, IFF_UP, IFLA_ADDRESS, IFLA_MTU, RTM_DELLINK, RTM_SETLINK } from "./rtnetlink.ts";

/** linux/sockios.h */
const SIOCETHTOOL = 0x8946;
/** linux/socket.h, linux/if_link.h */
const AF_BRIDGE = 7;
const IFLA_MASTER = 10;
const IFLA_PROTINFO = 12;
const IFLA_AF_SPEC = 26;
const IFLA_BRPORT_GUARD = 5;
const IFLA_BRPORT_ISOLATED = 33;
/** linux/if_bridge.h */
const IFLA_BRIDGE_VLAN_INFO = 2;
const BRIDGE_VLAN_INFO_PVID = 2;
const BRIDGE_VLAN_INFO_UNTAGGED = 4;
/** linux/ethtool.h: struct ethtool_coalesce has 23 numbers; the third is rx_max_coalesced_frames. */
const ETHTOOL_GCOALESCE = 0x0e;
const ETHTOOL_SCOALESCE = 0x0f;
const COALESCE_NUMBERS = 23;
const RX_FRAMES_AT = 2;

/**
 * Implements Host.setUpTap. Sets the address, the MTU and the bridge first, then the settings of the bridge
 * port. Brings the tap up last, so that no frame passes earlier. A guarded port drops frames to bridges. On a
 * kernel that cannot drop them, the first one disables the port, and its guest alone loses its network.
 * br_stp_rcv() of Linux
 */
export function setUpTap(setup: TapSetup, how?: "down"): void {
  const { gatheredFrames, name } = setup;
  withRoutes((fd) => {
    const index = indexOf(fd, name);
    const say: Say = (attempt, message) => {
      const errno = tell(fd, { ...message, index });
      if (errno !== 0) throw hostCallError(`${attempt} tap ${name}`, errno);
    };
    disableIpv6(name);
    if (setup.isGuarded === true) dropBridgeFrames({ fd, name, index });
    joinBridge(fd, setup, say);
    setUpPort(setup, say);
    if (gatheredFrames !== undefined) coalesceFrames(fd, name, gatheredFrames);
    if (how !== "down")
      say("bring up", { type: RTM_SETLINK, family: AF_UNSPEC, flags: IFF_UP, attributes: [] });
  });
}

type Say = (attempt: string, message: Omit<LinkMessage, "index">) => void;

function joinBridge(fd: number, { bridge, mac, mtu }: TapSetup, say: Say): void {
  const master = bridge === undefined ? undefined : indexOf(fd, bridge);
  say("set up", {
    type: RTM_SETLINK,
    family: AF_UNSPEC,
    attributes: [
      attribute(IFLA_ADDRESS, macBytes(mac)),
      ...(mtu === undefined ? [] : [attribute(IFLA_MTU, number32(mtu))]),
      ...(master === undefined ? [] : [attribute(IFLA_MASTER, number32(master))]),
    ],
  });
}

function setUpPort({ defaultVlan, isGuarded, isolated, vlans }: TapSetup, say: Say): void {
  if (isGuarded === true) {
    const port = nested(IFLA_PROTINFO, [attribute(IFLA_BRPORT_GUARD, new Uint8Array([1]))]);
    say("guard the bridge from", { type: RTM_SETLINK, family: AF_BRIDGE, attributes: [port] });
  }
  if (isolated === true) {
    const port = nested(IFLA_PROTINFO, [attribute(IFLA_BRPORT_ISOLATED, new Uint8Array([1]))]);
    say("isolate", { type: RTM_SETLINK, family: AF_BRIDGE, attributes: [port] });
  }
  if (vlans !== undefined && defaultVlan !== undefined)
    say("remove the default VLAN of", vlanMessage(RTM_DELLINK, { id: defaultVlan }));
  for (const vlan of vlans ?? []) say(`add VLAN ${vlan.id} to`, vlanMessage(RTM_SETLINK, vlan));
}

/** Implements Host.removeTap. */
export function removeTap(tap: OwnTap): void {
  changeOwn(tap, "remove", { type: RTM_DELLINK, attributes: [] });
}

/** Implements Host.disconnectTap. tun_get_user() of Linux refuses frames from a tap that is down. */
export function disconnectTap(tap: OwnTap): void {
  const attributes = [attribute(IFLA_MASTER, number32(0))];
  changeOwn(tap, "disconnect", { type: RTM_SETLINK, cleared: IFF_UP, attributes });
}

/** A guest's tap, identified by the address of its host end. */
interface OwnTap {
  readonly name: string;
  readonly mac: string;
}

function changeOwn(
  { mac, name }: OwnTap,
  attempt: string,
  message: Pick<LinkMessage, "type" | "cleared" | "attributes">,
): void {
  withRoutes((fd) => {
    const link = findLink(fd, name);
    if (link === undefined || link.address.toHex() !== macBytes(mac).toHex()) return;
    const errno = tell(fd, { ...message, family: AF_UNSPEC, index: link.index });
    if (errno !== 0 && errno !== ENODEV) throw hostCallError(`${attempt} tap ${name}`, errno);
  });
}

function indexOf(fd: number, name: string): number {
  const link = findLink(fd, name);
  if (link !== undefined) return link.index;
  throw hostCallError(`find the network device ${name}`, ENODEV);
}

function vlanMessage(
  type: number,
  { id, isNative = false, isUntagged = false }: Pick<PortVlan, "id"> & Partial<PortVlan>,
): Omit<LinkMessage, "index"> {
  const flags = (isNative ? BRIDGE_VLAN_INFO_PVID : 0) | (isUntagged ? BRIDGE_VLAN_INFO_UNTAGGED : 0);
  const info = record([16, flags], [16, id]);
  const attributes = [nested(IFLA_AF_SPEC, [attribute(IFLA_BRIDGE_VLAN_INFO, info)])];
  return { type, family: AF_BRIDGE, attributes };
}

/** Sets the number of frames and keeps the other values. */
function coalesceFrames(fd: number, name: string, frames: number): void {
  const facts = new Uint32Array(COALESCE_NUMBERS);
  const { bytes, rest } = requestFor(name);
  rest.setBigUint64(0, BigInt(ptr(facts)), true);
  facts[0] = ETHTOOL_GCOALESCE;
  let isDone = callDevice(fd, SIOCETHTOOL, bytes);
  facts[0] = ETHTOOL_SCOALESCE;
  facts[RX_FRAMES_AT] = frames;
  isDone &&= callDevice(fd, SIOCETHTOOL, bytes);
  if (!isDone) throw hostCallError(`set coalescing of tap ${name}`, readErrno());
}
