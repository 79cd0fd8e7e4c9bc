import { SvirtError } from "../../../errors.ts";
import type { ProcessId } from "../../processes.ts";
import { readText } from "../files/quick-files.ts";
import { readStat } from "./process-stat.ts";

// Rule: A process is the recorded one if PID, start time and boot are the recorded ones.

let bootId: string | undefined;

/** Implements Host.getBootId: reads it once, since no process outlives the boot. proc_sys_kernel(5) */
export function getBootId(): string {
  bootId ??= readText("/proc/sys/kernel/random/boot_id")?.trim();
  if (bootId !== undefined) return bootId;
  throw new SvirtError("Cannot read the kernel's boot id: /proc does not have it", {
    kind: "host-call",
    remedy: "Mount /proc.",
  });
}

/** Implements Host.hasProcess. */
export function hasProcess({ pid, startTicks }: ProcessId): boolean {
  const found = readStat(pid);
  return found?.startTicks === startTicks && !found.isZombie;
}
