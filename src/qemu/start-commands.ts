import * as v from "valibot";
import type { Domain } from "../domain/domain.ts";
import { interfaceId } from "./devices/network/argv.ts";
import { limitSpeed } from "./iotune-commands.ts";
import type { Guest } from "./model/guest.ts";
import type { QmpCommand } from "./monitor/qmp.ts";

/**
 * All that is said to a new QEMU's monitor, in this order: seldom more than two commands. The last one lets the virtual
 * CPUs run.
 *
 * - `qmp_capabilities`, without which no other is taken
 * - `balloon`, where the guest begins with less than all its memory
 * - `qom-set` of the balloon's polling interval, where the XML has `<stats period>`
 * - `block_set_io_throttle` of each disk whose speed is limited
 * - `set_link` of each interface whose cable is out
 * - `query-chardev`, where there is a pty: its path is known only now
 * - `cont`
 */
export function listStartCommands(guest: Guest): readonly QmpCommand[] {
  const { devices, domain } = guest;
  const { memballoon } = devices;
  const balloon = memballoon?.model === "virtio" ? memballoon : undefined;
  const memoryKiB = domain.memory.kiB;
  const { currentMemoryKiB = memoryKiB } = domain;
  const ptys = [...devices.serials, ...devices.consoles, ...devices.channels].filter(
    ({ type }) => type === "pty",
  );
  return [
    { execute: "qmp_capabilities" },
    ...(balloon === undefined || currentMemoryKiB === memoryKiB
      ? []
      : [{ execute: "balloon", arguments: { value: currentMemoryKiB * 1024 } }]),
    ...(balloon?.stats === undefined ? [] : [pollBalloon(balloon, balloon.stats.period)]),
    ...devices.disks.flatMap((disk) => limitSpeed(guest, disk)),
    ...devices.interfaces.flatMap(({ link }, index) =>
      link?.state === "down"
        ? [{ execute: "set_link", arguments: { name: interfaceId(devices.interfaces, index), up: false } }]
        : [],
    ),
    ...(ptys.length === 0 ? [] : [{ execute: "query-chardev" }]),
    { execute: "cont" },
  ];
}

const chardevReply = v.array(v.object({ label: v.string(), filename: v.string() }));

/** The terminal that QEMU got for each pty, by the device's id; from the answer of `query-chardev`. Throws ValiError. */
export function parsePtys(answer: unknown): ReadonlyMap<string, string> {
  return new Map(
    v.parse(chardevReply, answer).flatMap(({ label, filename }) => {
      const path = /^pty:(\/dev\/pts\/\d+)$/.exec(filename)?.[1];
      return path === undefined ? [] : [[label.replace(/^char/, ""), path] as const];
    }),
  );
}

/** Asks the guest's balloon every so many seconds what the guest says of its memory; 0: never. */
export function pollBalloon(balloon: Domain["devices"]["memballoon"], seconds: number): QmpCommand {
  const alias = balloon?.model === "none" ? undefined : balloon?.alias;
  const path = `/machine/peripheral/${alias ?? "balloon0"}`;
  return {
    execute: "qom-set",
    arguments: { path, property: "guest-stats-polling-interval", value: seconds },
  };
}
