import * as v from "valibot";
import { aNumber, aString, maybeString } from "./plain-schemas.ts";

/** A tap whose queues a guest gets as open descriptors. */
export const handedTap = v.strictObject({
  /** The device on the host: `vnet0`. */
  name: aString,
  /** What QEMU calls its end: `hostnet0`. */
  netdev: aString,
  /** One a queue, as QEMU is told it: at a start the descriptor's number, else the name that the monitor has for it. */
  queues: v.array(aString),
  /** As many of /dev/vhost-net, or none. */
  vhosts: v.array(aString),
  /** Frames come with the header that virtio has for them. IFF_VNET_HDR, linux/if_tun.h */
  hasHeader: v.boolean(),
  /** Made for this guest, and gone with the last of its descriptors; otherwise it is there already, and stays. */
  isMade: v.boolean(),
  /** It stands on a device of the host's, and was made before: opened by its node, which gets the label. */
  macvtap: v.exactOptional(v.strictObject({ label: maybeString })),
});
export type HandedTap = v.InferOutput<typeof handedTap>;

/** A VLAN whose frames may pass a port of a bridge. `bridge vlan` of bridge(8) */
const portVlan = v.strictObject({
  id: aNumber,
  /** Frames without a tag that come from the guest belong to it. */
  isNative: v.boolean(),
  /** Its frames reach the guest without a tag. */
  isUntagged: v.boolean(),
});
export type PortVlan = v.InferOutput<typeof portVlan>;

/** What the host's end of a tap is to be: done before the guest runs, and gone with the tap. */
export const tapSetup = v.strictObject({
  name: aString,
  mac: aString,
  mtu: v.exactOptional(aNumber),
  bridge: maybeString,
  /** It exchanges no frames with other such ports of the bridge. */
  isolated: v.exactOptional(v.literal(true)),
  /** The only VLANs that it is in. */
  vlans: v.exactOptional(v.array(portVlan)),
  /** Of the bridge: the VLAN that a new port is in. */
  defaultVlan: v.exactOptional(aNumber),
  /** How many frames may gather before the host is told. ethtool(8) -C rx-frames */
  gatheredFrames: v.exactOptional(aNumber),
});
export type TapSetup = v.InferOutput<typeof tapSetup>;

/** A tap that stands on a device of the host's and stays until it is removed. Documentation/networking of Linux, macvlan */
export const macvtap = v.strictObject({
  name: aString,
  /** The device of the host's: `eth0`. */
  lower: aString,
  mode: v.picklist(["vepa", "bridge", "private", "passthrough"]),
  /** The guest's own: frames to it are what it gets. */
  mac: aString,
  /** By this number it is known as the guest's from its first moment on. IFLA_GROUP */
  group: aNumber,
});
export type Macvtap = v.InferOutput<typeof macvtap>;
