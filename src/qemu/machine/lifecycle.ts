import type { Domain } from "../../domain/domain.ts";
import type { Arguments } from "../argument/argument.ts";

/**
 * Formats -action: QEMU's own reaction to power-off, reboot and crash of the guest, since no daemon waits for it. A
 * crashed guest that is to be restarted ends QEMU with exit status 1, which the reaper reads. qemu(1) -action
 */
export function formatActions(domain: Domain): Arguments {
  const { onReboot = "restart", onCrash = "destroy" } = domain;
  const reboot = onReboot === "destroy" ? "shutdown" : "reset";
  return ["-action", `reboot=${reboot},shutdown=poweroff,panic=${PANIC[onCrash]}`];
}

const PANIC = {
  destroy: "shutdown",
  "coredump-destroy": "shutdown",
  preserve: "pause",
  restart: "exit-failure",
  "coredump-restart": "exit-failure",
} as const;
