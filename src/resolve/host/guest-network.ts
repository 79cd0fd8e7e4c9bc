import { SvirtError } from "../../errors.ts";
import type { Host } from "../../host/host.ts";
import { NETWORK_DEVICES } from "../../plan/paths.ts";
import type { Step } from "../../plan/steps/step.ts";
import type { Instance } from "../../state/instance.ts";
import { readRecords } from "../../state/record.ts";
import { allSteps } from "../../state/shutoff-reason.ts";
import { findBelow, listCards, listFoldersBelow } from "./lower-devices.ts";

/**
 * Refuses to detach a network card on a guest's way to its network: below its macvtap, or a port of its tap's
 * bridge. Throws "in-use", and the error of a damaged record: its guest may have the card. The caller holds
 * the registry's lock.
 */
export function refuseGuestNetwork(instance: Instance, device: string): void {
  const { host } = instance;
  const cards = listCards(host, device);
  if (cards.length === 0) return;
  for (const [upper, guest] of listUppers(instance)) {
    const used = findBelow(host, cards, [upper]);
    if (used === undefined) continue;
    const how = used.name === upper ? "" : ` by ${upper}`;
    const because =
      used.by === undefined ? "" : `, since ${used.name} is a port of Open vSwitch as ${used.by}`;
    throw new SvirtError(
      `Cannot detach ${device} from the host: the guest ${guest} uses the network card ${used.name}${how}${because}`,
      {
        kind: "in-use",
        remedy: `Stop that guest, or detach its interface: svirt domiflist ${guest}`,
      },
    );
  }
}

/**
 * Lists the folders in sysfs of the network devices by which a guest with these steps reaches its network,
 * down to the cards.
 */
export function listNetworkFolders(host: Host, steps: readonly Step[]): readonly string[] {
  return listFoldersBelow(
    host,
    steps.flatMap((step) => uppersOf(host, step)),
  );
}

/** Returns the network devices on guests' ways to a network, with any of the guests. */
function listUppers(instance: Instance): ReadonlyMap<string, string> {
  const { host } = instance;
  const bootId = host.getBootId();
  const guests = readRecords(instance, (error) => {
    throw error;
  }).filter((guest) => guest.bootId === bootId);
  return new Map(
    guests.flatMap((guest) =>
      allSteps(guest).flatMap((step) => uppersOf(host, step).map((upper) => [upper, guest.name] as const)),
    ),
  );
}

/**
 * Returns the device of the host below a macvtap, and the bridges of taps. A tap from before may be in a
 * bridge unknown to all steps.
 */
function uppersOf(host: Host, step: Step): readonly string[] {
  switch (step.do) {
    case "make-macvtap":
      return [step.link.lower];
    case "set-up-tap":
      return [step.setup.bridge ?? step.setup.port?.bridge ?? []].flat();
    case "spawn":
      return (step.order.taps ?? []).flatMap(({ name }) => masterOf(host, name));
    case "pass-tap":
      return masterOf(host, step.tap.name);
    default:
      return [];
  }
}

/** Returns the bridge of a port. Documentation/ABI/testing/sysfs-class-net of Linux */
function masterOf(host: Host, port: string): readonly string[] {
  const master = host.inspectFile(`${NETWORK_DEVICES}/${port}/master`)?.id.path;
  return master === undefined ? [] : [master.slice(master.lastIndexOf("/") + 1)];
}
