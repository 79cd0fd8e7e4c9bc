import type { Instance } from "../../state/instance.ts";

/** Returns the host's name. */
export function getHostname({ host }: Instance): string {
  return (host.readText("/proc/sys/kernel/hostname") ?? "localhost").trim();
}

/** Returns libvirt's URI of the hypervisor and the instance. */
export function getUri({ paths }: Instance): string {
  return `qemu:///${paths.instance}`;
}
