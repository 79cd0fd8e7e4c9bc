import type { Domain } from "../domain/domain.ts";
import { cannotTranslate } from "./refusal.ts";
import type { Words } from "./words.ts";

/**
 * -action: what QEMU does by itself when the guest powers off, reboots or crashes, since no daemon waits for it.
 * A guest that crashes and is to be restarted ends with exit status 1, which the reaper sees. qemu(1) -action
 */
export function formatActions(domain: Domain): Words {
  const { onPoweroff = "destroy", onReboot = "restart", onCrash = "destroy" } = domain;
  if (onPoweroff === "restart" && onReboot === "destroy") {
    const why = "QEMU ends in the same way at both, so that svirt could not tell whether to start it anew";
    throw cannotTranslate("/domain/on_poweroff", why, "Write the same for on_poweroff and on_reboot.");
  }
  if (onReboot === "preserve") {
    throw cannotTranslate("/domain/on_reboot", "QEMU cannot stop at a reboot", "Write restart or destroy.");
  }
  const shutdown = onPoweroff === "preserve" ? "pause" : "poweroff";
  const reboot = onReboot === "destroy" ? "shutdown" : "reset";
  return ["-action", `reboot=${reboot},shutdown=${shutdown},panic=${PANIC[onCrash]}`];
}

const PANIC = { destroy: "shutdown", preserve: "pause", restart: "exit-failure" } as const;
