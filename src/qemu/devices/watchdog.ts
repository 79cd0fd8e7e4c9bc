import type { Watchdog } from "../../domain/devices/watchdog.ts";
import { type Arguments, jsonArguments } from "../argument/argument.ts";
import { pciKeys } from "../argument/bus-properties.ts";
import type { Guest } from "../model/guest.ts";
import { cannotTranslate, devicePath } from "../refusal.ts";

/** -device for each watchdog, and their common action. The iTCO of q35's board is only enabled. */
export function formatWatchdogs(guest: Guest): Arguments {
  const { watchdogs } = guest.devices;
  for (const [index, watchdog] of watchdogs.entries()) refuseWatchdog(guest, watchdog, index);
  const devices = watchdogs.flatMap(({ model, alias, address }, index) => {
    if (model === "itco") return ["-global", "ICH9-LPC.noreboot=off"];
    // The board's watchdog counts as well. qemuAssignDeviceAliases() of libvirt
    const id = alias ?? `watchdog${index}`;
    return jsonArguments("-device", {
      driver: model,
      id,
      ...(model === "ib700" ? {} : pciKeys(guest, address)),
    });
  });
  const [first] = watchdogs;
  if (first === undefined) return [];
  const { action = "reset" } = first;
  // QEMU pauses the guest; the process that observes it writes the dump.
  return [...devices, "-watchdog-action", action === "dump" ? "pause" : action];
}

// qemuValidateDomainWatchdogDef() and qemuValidateDomainDefWatchdogs() of libvirt
function refuseWatchdog(guest: Guest, { action = "reset", address, model }: Watchdog, index: number): void {
  const path = devicePath("watchdog", index);
  const { machine, devices } = guest;
  const before = devices.watchdogs.slice(0, index);
  const problems = [
    [
      before.some((other) => (other.action ?? "reset") !== action),
      "/@action",
      "QEMU has one action for all watchdogs",
      "Write the same action for each.",
    ],
    [
      model !== "i6300esb" && before.some((other) => other.model === model),
      "",
      `a guest can have only one ${model}`,
      "Remove it.",
    ],
    [
      model !== "i6300esb" && machine.chipset !== (model === "itco" ? "q35" : "i440fx"),
      "/@model",
      `a ${machine.word} has no ${model}`,
      "Write model='i6300esb'.",
    ],
    [
      model !== "i6300esb" && address !== undefined,
      "/address",
      `an ${model} has no address`,
      "Leave it out.",
    ],
  ] as const;
  for (const [isBroken, place, why, remedy] of problems) {
    if (isBroken) throw cannotTranslate(`${path}${place}`, why, remedy);
  }
}
