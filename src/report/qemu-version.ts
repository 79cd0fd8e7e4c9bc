import type { Host } from "../host.ts";

const EMULATOR = "/usr/bin/qemu-system-x86_64";

/** Like 10.0.13; undefined when QEMU is not there. */
export function getQemuVersion(host: Host, emulator: string = EMULATOR): string | undefined {
  return /version (\d+(?:\.\d+)*)/.exec(host.readOutput([emulator, "--version"]) ?? "")?.[1];
}
