import type { Host } from "../host/host.ts";

/** Describes permissive mode, with its cause if the kernel's command line sets it. */
export function describePermissive(host: Host): string {
  const words = (host.readText("/proc/cmdline") ?? "").split(/\s+/);
  const why = words.includes("enforcing=0") ? ", as set by enforcing=0 on the kernel's command line" : "";
  return `permissive${why}: guests are labelled, but nothing is enforced`;
}
