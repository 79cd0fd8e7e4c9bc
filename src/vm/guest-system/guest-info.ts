import type { Devices } from "../../domain/devices.ts";
import { UnknownAgentCommand } from "../../qemu/agent/answer.ts";
import type { AgentDisk, AgentFileSystem } from "../../qemu/agent/system.ts";
import type { Instance } from "../../state/instance.ts";
import { findRunning } from "../guest/find-domain.ts";
import { runningGuest } from "../guest/running-guest.ts";
import { listAddresses } from "../query/interface-addresses.ts";
import { askSystem } from "./ask-system.ts";
import { targetAt } from "./guest-files.ts";

/** Kinds of facts, in libvirt's order. virDomainGuestInfoTypes */
export const GUEST_FACTS = [
  ...(["user", "os", "timezone", "hostname", "filesystem", "disk", "interface", "load"] as const),
];
export type GuestFactKind = (typeof GUEST_FACTS)[number];

/** A fact by libvirt's name of its parameter. */
export type GuestFact = readonly [field: string, value: string | number | boolean];

/** A running guest, for the questions to its agent. */
type Asked = Parameters<typeof askSystem>[0] & { readonly devices: Devices };

/**
 * Returns what the agent of a running guest reports about its system, unchecked. Without kinds, all that the
 * agent can report. Throws the errors of askSystem(). qemuDomainGetGuestInfo() of libvirt
 */
export async function getGuestInfo(
  instance: Instance,
  key: string,
  kinds: readonly GuestFactKind[],
): Promise<readonly GuestFact[]> {
  const { guest } = findRunning(instance, key);
  const asked = { instance, guest, devices: runningGuest(guest).domain.devices };
  const facts: GuestFact[] = [];
  for (const kind of kinds.length === 0 ? GUEST_FACTS : kinds) {
    try {
      facts.push(...(await LISTED[kind](asked)));
    } catch (error) {
      if (kinds.length > 0 || !(error instanceof UnknownAgentCommand)) throw error;
    }
  }
  return facts;
}

const LISTED: Readonly<Record<GuestFactKind, (asked: Asked) => Promise<readonly GuestFact[]>>> = {
  async user(asked) {
    const users = await askSystem(asked, "guest-get-users");
    return counted("user", users, ({ domain, "login-time": seconds, user }) =>
      given([".name", user], [".domain", domain], [".login-time", Math.round(seconds * 1000)]),
    );
  },
  async os(asked) {
    return given(
      ...Object.entries(await askSystem(asked, "guest-get-osinfo")).flatMap(([name, value]) =>
        typeof value === "string" ? [[`os.${name}`, value] as const] : [],
      ),
    );
  },
  async timezone(asked) {
    const { offset, zone } = await askSystem(asked, "guest-get-timezone");
    return given(["timezone.name", zone], ["timezone.offset", offset]);
  },
  async hostname(asked) {
    return given(["hostname", (await askSystem(asked, "guest-get-host-name"))["host-name"]]);
  },
  async filesystem(asked) {
    const found = await askSystem(asked, "guest-get-fsinfo");
    return found.length === 0 ? [] : counted("fs", found, (one) => factsOfFileSystem(one, asked.devices));
  },
  async disk(asked) {
    const found = await askSystem(asked, "guest-get-disks");
    return found.length === 0 ? [] : counted("disk", found, (one) => factsOfDisk(one, asked.devices));
  },
  async interface({ guest, instance }) {
    const found = await listAddresses(instance, guest.uuid, { name: undefined, source: "agent" });
    if (found.length === 0) return [];
    return counted("if", found, ({ addresses, interface: name, mac }) => [
      ...given([".name", name], [".hwaddr", mac]),
      ...counted(".addr", addresses, ({ address, prefix, type }) => [
        [".type", type],
        [".addr", address],
        [".prefix", prefix],
      ]),
    ]);
  },
  async load(asked) {
    const { load1m, load5m, load15m } = await askSystem(asked, "guest-get-load");
    return given(["load.1m", load1m], ["load.5m", load5m], ["load.15m", load15m]);
  },
};

/** qemuAgentFSInfoFormatParams() of libvirt */
function factsOfFileSystem(found: AgentFileSystem, devices: Devices): readonly GuestFact[] {
  return [
    ...given([".name", found.name], [".mountpoint", found.mountpoint], [".fstype", found.type]),
    ...given([".total-bytes", found["total-bytes"]], [".used-bytes", found["used-bytes"]]),
    ...counted(".disk", found.disk, (place) =>
      given([".alias", targetAt(devices, place)], [".serial", place.serial], [".device", place.dev]),
    ),
  ];
}

/** qemuAgentDiskInfoFormatParams() of libvirt */
function factsOfDisk(found: AgentDisk, devices: Devices): readonly GuestFact[] {
  const { address, alias, dependencies = [], name, partition } = found;
  return [
    ...given([".name", name], [".partition", partition]),
    ...(dependencies.length === 0
      ? []
      : counted(".dependency", dependencies, (one) => given([".name", one]))),
    ...given([".serial", address?.serial]),
    ...given([".alias", address === undefined ? undefined : targetAt(devices, address)]),
    ...given([".guest_bus", address?.["bus-type"]], [".guest_alias", alias]),
  ];
}

/** Returns the number of values, and the facts of each by its number. */
function counted<Value>(
  prefix: string,
  values: readonly Value[],
  factsOf: (value: Value) => readonly GuestFact[],
): readonly GuestFact[] {
  return [
    [`${prefix}.count`, values.length],
    ...values.flatMap((value, at) =>
      factsOf(value).map(([field, fact]): GuestFact => [`${prefix}.${at}${field}`, fact]),
    ),
  ];
}

/** Returns the facts with a value. */
function given(...facts: readonly (readonly [string, GuestFact[1] | undefined])[]): readonly GuestFact[] {
  return facts.flatMap(([field, value]) => (value === undefined ? [] : [[field, value] as const]));
}
