import { SvirtError } from "../errors.ts";
import type { Host } from "../host/host.ts";

/** Nanoseconds in a tick: the kernel counts in 1/100 s. asm-generic/param.h USER_HZ */
const NS_PER_TICK = 10_000_000;

/** Times of the processors since boot, in nanoseconds. */
export interface ProcessorTimes {
  readonly user: number;
  readonly system: number;
  readonly idle: number;
  readonly iowait: number;
}

/** Returns the times of all processors together, or of a single processor. Throws "not-found". */
export function getProcessorTimes(host: Host, cpu: number | undefined): ProcessorTimes {
  const found = parseProcessorTimes(host.readText("/proc/stat") ?? "", cpu);
  if (found !== undefined) return found;
  throw new SvirtError(`Cannot show processor ${cpu}: the host has no online processor with that number`, {
    kind: "not-found",
    libvirt: "INVALID_ARG",
    from: "NONE",
    remedy: "List the online processors: svirt nodecpumap --pretty",
  });
}

/**
 * Parses /proc/stat. Nice time counts as user time, interrupts as system time. proc_stat(5),
 * virHostCPUGetStatsLinux() of libvirt
 */
export function parseProcessorTimes(text: string, cpu: number | undefined): ProcessorTimes | undefined {
  const line = new RegExp(`^cpu${cpu ?? ""}\\s+(\\d.*)$`, "m").exec(text)?.[1];
  if (line === undefined) return undefined;
  const ticks = line.split(" ").map(Number);
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0] = ticks;
  return {
    user: (user + nice) * NS_PER_TICK,
    system: (system + irq + softirq) * NS_PER_TICK,
    idle: idle * NS_PER_TICK,
    iowait: iowait * NS_PER_TICK,
  };
}
