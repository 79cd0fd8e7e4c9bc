/** Open vSwitch's program for changes of its configuration. Debian: openvswitch-switch */
export const OVS_VSCTL = "/usr/bin/ovs-vsctl";

/** Limit for the database and the switch to answer, in seconds. VIR_NETDEV_OVS_DEFAULT_TIMEOUT of libvirt */
const TIMEOUT_SECONDS = 5;

/** Port of an Open vSwitch bridge for a guest's tap. */
export interface SwitchPort {
  readonly bridge: string;
  /** Guest's own address. */
  readonly guestMac: string;
  readonly guestUuid: string;
  readonly interfaceId: string;
  readonly profileId?: string;
  /** VLAN of an access port, or the native VLAN of a trunk. */
  readonly tag?: number;
  /** VLANs of a trunk. */
  readonly trunks?: readonly number[];
  /** How the frames of the native VLAN reach the guest. */
  readonly nativeMode?: "tagged" | "untagged";
}

/**
 * Returns the command for connecting a tap to a bridge, in a single transaction. A port of the name, found by
 * the caller to be a guest's, is replaced: no other device has the tap's name, so it is left over, with its
 * old bridge and VLANs. `transient` lets ovs-ctl(8) remove it after a crash of the host.
 * virNetDevOpenvswitchAddPort() of libvirt, ovs-vsctl(8)
 */
export function addPortCommand(tap: string, port: SwitchPort): readonly string[] {
  const { guestMac, guestUuid, interfaceId, profileId } = port;
  const set = (key: string, value: string): readonly string[] => [
    "--",
    "set",
    "Interface",
    tap,
    `external-ids:${key}=${value}`,
  ];
  return [
    ...command("--", "--if-exists", "del-port", tap),
    ...["--", "add-port", port.bridge, tap, "other_config:transient=true", ...formatVlans(port)],
    ...set("attached-mac", quoted(guestMac)),
    ...set("iface-id", quoted(interfaceId)),
    ...set("vm-id", quoted(guestUuid)),
    ...(profileId === undefined ? [] : set("port-profile", quoted(profileId))),
    ...set("iface-status", "active"),
  ];
}

/**
 * Returns the command for printing a tap's name once for a port of the name, and again if it belongs to a
 * guest. Bonds, patch ports and tunnels have no device of their names, so a tap may have such a name.
 */
export function findHolderCommand(tap: string): readonly string[] {
  const guests = ['type=""', 'external_ids:vm-id!=""'];
  return [
    ...command("--bare", "--", "--columns=name", "find", "Port", `name=${quoted(tap)}`),
    ...["--", "--columns=name", "find", "Interface", `name=${quoted(tap)}`, ...guests],
  ];
}

/**
 * Returns the command for printing the name of a tap's port if it belongs to the guest's interface. A copied
 * domain may have its id.
 */
export function findPortCommand(
  tap: string,
  { guestUuid, interfaceId }: Pick<SwitchPort, "guestUuid" | "interfaceId">,
): readonly string[] {
  const own = [
    `name=${quoted(tap)}`,
    `external_ids:iface-id=${quoted(interfaceId)}`,
    `external_ids:vm-id=${quoted(guestUuid)}`,
  ];
  return command("--bare", "--columns=name", "find", "Interface", ...own);
}

/** Returns the command for removing a port. virNetDevOpenvswitchRemovePort() of libvirt */
export function removePortCommand(tap: string): readonly string[] {
  return command("--", "--if-exists", "del-port", tap);
}

function command(...words: readonly string[]): readonly string[] {
  return [OVS_VSCTL, `--timeout=${TIMEOUT_SECONDS}`, ...words];
}

// virNetDevOpenvswitchConstructVlans() of libvirt
function formatVlans({ nativeMode, tag, trunks }: SwitchPort): readonly string[] {
  return [
    ...(nativeMode === undefined ? [] : [`vlan_mode=native-${nativeMode}`]),
    ...(tag === undefined ? [] : [`tag=${tag}`]),
    ...(trunks === undefined ? [] : [`trunk=${trunks.join(",")}`]),
  ];
}

/** Quotes a value, which the database reads as a string of JSON. ovs-vsctl(8), Database Values */
function quoted(text: string): string {
  return JSON.stringify(text);
}
