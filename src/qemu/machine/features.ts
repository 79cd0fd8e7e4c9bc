import { jsonWords, type Words } from "../argument/argument.ts";
import type { Guest } from "../model/guest.ts";

/** -device by which a guest's kernel tells where its crash notes are. qemuBuildVMCoreInfoCommandLine() of libvirt */
export function formatCoreInfo({ domain }: Guest): Words {
  return domain.features?.vmcoreinfo?.state === true ? jsonWords("-device", { driver: "vmcoreinfo" }) : [];
}

/** -run-with, so that a process of its own gives the memory back when QEMU ends. */
export function formatTeardown({ domain }: Guest): Words {
  const enabled = domain.features?.asyncTeardown?.enabled;
  return enabled === undefined ? [] : ["-run-with", `async-teardown=${enabled ? "on" : "off"}`];
}
