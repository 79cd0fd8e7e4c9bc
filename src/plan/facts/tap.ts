import * as v from "valibot";
import { ACTIONS, FIELD_NAMES } from "../../network/filter/filter-rule.ts";
import { aNumber, aString, maybeString } from "./plain-schemas.ts";

/** Tap with its queues passed to a guest as open descriptors. */
export const passedTap = v.strictObject({
  /** The device on the host: `vnet0`. */
  name: aString,
  /** QEMU's id of the netdev: `hostnet0`. */
  netdev: aString,
  /** A name per queue for QEMU: at a start the descriptor's number, later its name in the monitor. */
  queues: v.array(aString),
  /** A name per descriptor of /dev/vhost-net; as many as queues, or none. */
  vhosts: v.array(aString),
  /** Frames have a virtio header. IFF_VNET_HDR, linux/if_tun.h */
  hasHeader: v.boolean(),
  /**
   * Created for this guest, and removed with its last descriptor. Otherwise the tap already exists before the
   * start, and remains.
   */
  isMade: v.boolean(),
  /** Macvtap created by an earlier step. It is opened by its device node, which gets the label. */
  macvtap: v.exactOptional(v.strictObject({ label: maybeString })),
});
export type PassedTap = v.InferOutput<typeof passedTap>;

/** A VLAN whose frames may pass a port of a bridge. `bridge vlan` of bridge(8) */
const portVlan = v.strictObject({
  id: aNumber,
  /** Untagged frames from the guest belong to it. */
  isNative: v.boolean(),
  /** Its frames reach the guest untagged. */
  isUntagged: v.boolean(),
});
export type PortVlan = v.InferOutput<typeof portVlan>;

/** Port of an Open vSwitch bridge. addPortCommand() */
const switchPort = v.strictObject({
  bridge: aString,
  guestMac: aString,
  guestUuid: aString,
  interfaceId: aString,
  profileId: v.exactOptional(aString),
  tag: v.exactOptional(aNumber),
  trunks: v.exactOptional(v.array(aNumber)),
  nativeMode: v.exactOptional(v.picklist(["tagged", "untagged"])),
});
export type PlannedPort = v.InferOutput<typeof switchPort>;

/** Identifiers of a guest's port, for its removal. */
export const ownPort = v.pick(switchPort, ["guestUuid", "interfaceId"]);
export type OwnPort = v.InferOutput<typeof ownPort>;

/** Setup of a tap's host end, applied before the guest runs and removed with the tap. */
export const tapSetup = v.strictObject({
  name: aString,
  mac: aString,
  mtu: v.exactOptional(aNumber),
  bridge: maybeString,
  /** Port of Open vSwitch instead of a bridge of the kernel. */
  port: v.exactOptional(switchPort),
  /** The port exchanges no frames with other isolated ports of the bridge. */
  isolated: v.exactOptional(v.literal(true)),
  /** The only VLANs of the port. */
  vlans: v.exactOptional(v.array(portVlan)),
  /** The bridge's VLAN for new ports. */
  defaultVlan: v.exactOptional(aNumber),
  /** No frame from the guest changes the spanning tree of the bridge, which a network of svirt has made. */
  isGuarded: v.exactOptional(v.literal(true)),
  /** Maximum number of frames before the host is notified. ethtool(8) -C rx-frames */
  gatheredFrames: v.exactOptional(aNumber),
});
export type TapSetup = v.InferOutput<typeof tapSetup>;

/** Rule of a defined filter, with the place of its chain. */
const chainRule = v.strictObject({
  chain: aString,
  chainPriority: aNumber,
  rule: v.strictObject({
    direction: v.picklist(["in", "out", "inout"]),
    action: v.picklist(ACTIONS),
    priority: v.exactOptional(aNumber),
    match: v.exactOptional(v.array(v.tuple([v.picklist(FIELD_NAMES), aString]))),
    isNegated: v.exactOptional(v.literal(true)),
  }),
});

/** Filter of a tap's frames, in a table of nft. formatTapRules() */
const tapFilter = v.strictObject({
  table: aString,
  tap: aString,
  /** Name of the filter. */
  filter: aString,
  variables: v.array(v.strictObject({ name: aString, values: v.array(aString) })),
  /**
   * Rules of a filter other than libvirt's own, or with another inside, and the names of all of these
   * filters.
   */
  defined: v.exactOptional(v.strictObject({ filters: v.array(aString), rules: v.array(chainRule) })),
});

/** Rate of a guest's frames, and the bytes that may exceed it at once. */
const rate = v.strictObject({ bytesPerSecond: aNumber, burstBytes: aNumber });

/** Limit of the frames from a guest, in a table of nft. formatTapRules() */
const tapLimit = v.strictObject({ table: aString, tap: aString, limit: rate });

/** Rules for the frames of a tap. */
export const tapRules = v.union([tapFilter, tapLimit]);
export type TapRules = v.InferOutput<typeof tapRules>;

/** Guest's address on the bridge of its network, whose frames have a guaranteed share of the bandwidth. */
export const floorTarget = v.strictObject({ bridge: aString, mac: aString });
export type FloorTarget = v.InferOutput<typeof floorTarget>;

/** Guaranteed share of a network's bandwidth. */
export interface Floor {
  readonly to: FloorTarget;
  readonly bytesPerSecond: number;
}

/**
 * Macvtap on a device of the host, which stays until it is removed. Documentation/networking of Linux,
 * macvlan
 */
export const macvtap = v.strictObject({
  name: aString,
  /** Device of the host: `eth0`. */
  lower: aString,
  mode: v.picklist(["vepa", "bridge", "private", "passthrough"]),
  /** The guest's own address: the macvtap receives frames to it. */
  mac: aString,
  /** Link group, the sign of the guest from its creation on. IFLA_GROUP */
  group: aNumber,
});
export type Macvtap = v.InferOutput<typeof macvtap>;
