import { type Arguments, jsonArguments } from "../argument/argument.ts";
import type { Guest } from "../model/guest.ts";

/**
 * Formats -device by which a guest's kernel reports the place of its crash notes.
 * qemuBuildVMCoreInfoCommandLine() of libvirt
 */
export function formatCoreInfo({ domain }: Guest): Arguments {
  return domain.features?.vmcoreinfo?.state === true
    ? jsonArguments("-device", { driver: "vmcoreinfo" })
    : [];
}

/** Formats -run-with: a separate process frees the memory when QEMU ends. */
export function formatTeardown({ domain }: Guest): Arguments {
  const enabled = domain.features?.asyncTeardown?.enabled;
  return enabled === undefined ? [] : ["-run-with", `async-teardown=${enabled ? "on" : "off"}`];
}
