import type { Domain } from "../domain/domain.ts";
import { interfaceId } from "./devices/network/argv.ts";
import { limitSpeed } from "./iotune-commands.ts";
import type { Guest } from "./model/guest.ts";
import type { QmpCommand } from "./monitor/qmp.ts";

/**
 * Lists the commands for the monitor of a new QEMU, in this order, seldom more than two. The last one lets
 * the vCPUs run.
 *
 * - `qmp_capabilities`, required before any other command
 * - `balloon`, if the guest begins with less than all its memory
 * - `qom-set` of the balloon's polling interval, if the XML has `<stats period>`
 * - `block_set_io_throttle` for each disk with a limited speed
 * - `set_link` for each interface with its link down
 * - `query-chardev`, if there is a pty: QEMU has just opened it
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

/**
 * Returns the command that sets how often the balloon asks the guest for memory statistics, in seconds; 0:
 * never.
 */
export function pollBalloon(balloon: Domain["devices"]["memballoon"], seconds: number): QmpCommand {
  const alias = balloon?.model === "none" ? undefined : balloon?.alias;
  const path = `/machine/peripheral/${alias ?? "balloon0"}`;
  return {
    execute: "qom-set",
    arguments: { path, property: "guest-stats-polling-interval", value: seconds },
  };
}
