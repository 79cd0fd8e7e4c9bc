import type { Domain } from "../../domain/domain.ts";
import type { Host } from "../../host/host.ts";
import type { FindFilter } from "../../network/filter/instance.ts";
import { OVS_VSCTL } from "../../network/switch/port-commands.ts";
import { refuseManyRules } from "../../plan/decide/rule-count.ts";
import {
  type BridgeFacts,
  decideTap,
  isTapped,
  type PlannedTap,
  type TapFacts,
} from "../../plan/decide/tap.ts";
import { decideFloor, decideShape, decideTapRules } from "../../plan/decide/tap-rules.ts";
import type { PassedTap } from "../../plan/facts/tap.ts";
import { NETWORK_DEVICES } from "../../plan/paths.ts";
import { interfaceId } from "../../qemu/devices/network/argv.ts";
import { readFileContexts } from "../../report/default-labels.ts";
import { formatContext, parseContext } from "../../selinux/context.ts";
import { defaultContextOf } from "../../selinux/file-contexts/look-up.ts";
import { type Instance, registryOf } from "../../state/instance.ts";

/**
 * Decides the tap of each interface with a tap. The caller holds the registry lock: no other guest gets the
 * same name. Throws the errors of decideTap(), decideTapRules() and refuseManyRules().
 */
export function decideTaps(
  instance: Instance,
  { devices, uuid }: Domain,
  { findFilter, ...owner }: TapOwner & { readonly findFilter: FindFilter },
): PlannedTap[] {
  const taps: PlannedTap[] = [];
  const macvtap = devices.interfaces.some(({ type }) => type === "direct")
    ? macvtapFacts(instance, owner)
    : {};
  const isFiltered = devices.interfaces.some((found) => isTapped(found) && found.filterref !== undefined);
  for (const [index, found] of devices.interfaces.entries()) {
    if (!isTapped(found)) continue;
    const tap = decideTap(found, interfaceId(devices.interfaces, index), {
      ...tapFacts(instance, uuid, taps),
      ...macvtap,
      isFiltered,
    });
    const place = `/domain/devices/interface[${index + 1}]`;
    const rules = decideTapRules(found, tap.name, { uuid, place, findFilter });
    taps.push({ ...tap, rules, shape: decideShape(found), floor: decideFloor(found) });
    refuseManyRules(
      taps.flatMap((planned) => planned.rules ?? []),
      place,
    );
  }
  return taps;
}

/** Guest of a tap: the label of its process, and its user. */
export interface TapOwner {
  readonly label: string | undefined;
  readonly uid: number;
}

/** Returns the label and group of a guest's macvtap. */
export function macvtapFacts(instance: Instance, { label, uid }: TapOwner): Pick<TapFacts, "macvtap"> {
  return { macvtap: { label: macvtapLabel(instance, label), group: uid } };
}

/**
 * Returns the label of a macvtap: the policy's type with the guest's level. virSecuritySELinuxSetTapFDLabel()
 * of libvirt
 */
function macvtapLabel({ host }: Instance, process: string | undefined): string | undefined {
  const range = process === undefined ? undefined : parseContext(process).range;
  const contexts = range === undefined ? undefined : readFileContexts(host);
  const label = contexts === undefined ? undefined : defaultContextOf(contexts, "/dev/tap0", "character");
  if (label === undefined || range === undefined) return undefined;
  return formatContext({ ...parseContext(label), range });
}

/**
 * Returns facts about the host's taps. `others` are planned for the guest's other interfaces, so their names
 * are in use.
 */
export function tapFacts(
  instance: Instance,
  guestUuid: string,
  others: readonly PlannedTap[] = [],
): Omit<TapFacts, "isFiltered"> {
  const { host } = instance;
  const held = registryOf(instance).listKeys("tap");
  return {
    taken: new Set([...host.listFolder(NETWORK_DEVICES), ...held, ...others.map(({ name }) => name)]),
    // Only root and the group kvm may open it: an ordinary user's QEMU forwards the frames itself.
    hasVhost: host.getUid() === 0 && host.inspectFile("/dev/vhost-net") !== undefined,
    getBridge: (name) => readBridge(instance, name),
    openVswitch: {
      guestUuid,
      hasProgram: () => host.inspectFile(OVS_VSCTL)?.type === "file",
      getMtu: (name) => readMtu(host, name),
    },
  };
}

/** Names the descriptors of a tap by their numbers, beginning with `firstFd`. */
export function numberTap(tap: PlannedTap, firstFd: number): PassedTap {
  return nameTap(tap, (at) => String(firstFd + at));
}

/** Names the descriptors of a tap. QEMU would interpret a number as a descriptor that it already has. */
export function nameTap(tap: PlannedTap, nameOf: (at: number) => string): PassedTap {
  const { hasHeader, isMade, label, link, name, netdev } = tap;
  const names = Array.from({ length: tap.queues + tap.vhosts }, (_, at) => nameOf(at));
  return {
    name,
    netdev,
    queues: names.slice(0, tap.queues),
    vhosts: names.slice(tap.queues),
    hasHeader,
    isMade,
    ...(link === undefined ? {} : { macvtap: label === undefined ? {} : { label } }),
  };
}

/** Returns the domain with the names of its taps, as a running guest's XML shows them. */
export function addTapNames(domain: Domain, taps: readonly PlannedTap[]): Domain {
  if (taps.length === 0) return domain;
  const left = [...taps];
  const interfaces = domain.devices.interfaces.map((found) => {
    const tap = isTapped(found) ? left.shift() : undefined;
    return tap === undefined ? found : { ...found, target: { ...found.target, dev: tap.name } };
  });
  return { ...domain, devices: { ...domain.devices, interfaces } };
}

function readBridge({ host }: Instance, name: string): BridgeFacts | undefined {
  const mtu = readMtu(host, name);
  if (mtu === undefined || host.listFolder(`${NETWORK_DEVICES}/${name}/bridge`).length === 0)
    return undefined;
  const read = (fact: string): number =>
    Number(host.readText(`${NETWORK_DEVICES}/${name}/bridge/${fact}`)?.trim() ?? "0");
  return {
    mtu,
    filtersVlans: read("vlan_filtering") === 1,
    defaultVlan: read("default_pvid"),
  };
}

function readMtu(host: Host, name: string): number | undefined {
  const mtu = host.readText(`${NETWORK_DEVICES}/${name}/mtu`);
  return mtu === undefined ? undefined : Number(mtu.trim());
}
