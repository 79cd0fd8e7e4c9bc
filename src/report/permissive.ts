import type { Host } from "../host/host.ts";

/** What it means that SELinux is permissive, and why it is if the kernel's command line says so. */
export function describePermissive(host: Host): string {
  const words = (host.readText("/proc/cmdline") ?? "").split(/\s+/);
  const why = words.includes("enforcing=0") ? ", as enforcing=0 on the kernel's command line asks" : "";
  return `permissive${why}: guests are labelled, but nothing is enforced`;
}
