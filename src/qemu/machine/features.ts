import { jsonWords, type Words } from "../argument/argument.ts";
import type { Guest } from "../model/guest.ts";

/**
 * Formats -device by which a guest's kernel reports the place of its crash notes. qemuBuildVMCoreInfoCommandLine() of
 * libvirt
 */
export function formatCoreInfo({ domain }: Guest): Words {
  return domain.features?.vmcoreinfo?.state === true ? jsonWords("-device", { driver: "vmcoreinfo" }) : [];
}

/** Formats -run-with: a separate process frees the memory when QEMU ends. */
export function formatTeardown({ domain }: Guest): Words {
  const enabled = domain.features?.asyncTeardown?.enabled;
  return enabled === undefined ? [] : ["-run-with", `async-teardown=${enabled ? "on" : "off"}`];
}
