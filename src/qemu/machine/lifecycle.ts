import type { Domain } from "../../domain/domain.ts";
import type { Arguments } from "../argument/argument.ts";
import type { QmpCommand } from "../monitor/qmp.ts";

/**
 * Formats -action: QEMU's own reaction to power-off, reboot and crash of the guest, since no daemon waits for
 * it. The exit status 1 of a crashed guest's QEMU tells the reaper that the guest has not shut down. qemu(1)
 * -action
 */
export function formatActions(domain: Domain): Arguments {
  const { panic, reboot } = actionsOf(domain);
  return ["-action", `reboot=${reboot},shutdown=poweroff,panic=${panic}`];
}

/** Returns the command for these reactions of a running QEMU. set-action of qapi/run-state.json */
export function setActions(domain: Domain): QmpCommand {
  return { execute: "set-action", arguments: actionsOf(domain) };
}

function actionsOf({
  onReboot = "restart",
  onCrash = "destroy",
}: Domain): Record<"reboot" | "panic", string> {
  return { reboot: onReboot === "destroy" ? "shutdown" : "reset", panic: PANIC[onCrash] };
}

const PANIC = {
  destroy: "exit-failure",
  "coredump-destroy": "exit-failure",
  preserve: "pause",
  restart: "exit-failure",
  "coredump-restart": "exit-failure",
} as const;
