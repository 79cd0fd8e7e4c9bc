import type { Host } from "../../src/host/host.ts";
import { makeLinuxHost } from "../../src/host/linux/linux-host.ts";
import type { Paths } from "../../src/plan/paths.ts";
import type { Instance } from "../../src/state/instance.ts";

const POLICY = "/etc/selinux/given/";
/** Contexts of guests in the policy: test data of libvirt, securityselinuxhelperdata. */
const CONTEXTS = new Map([
  ["virtual_domain_context", "system_u:system_r:svirt_t:s0\nsystem_u:system_r:svirt_tcg_t:s0\n"],
  ["virtual_image_context", "system_u:object_r:svirt_image_t:s0\nsystem_u:object_r:virt_content_t:s0\n"],
]);

/**
 * Returns an svirt instance that keeps its state in a folder. Its host is the real one except for SELinux,
 * which this kernel may lack: svirt runs with that range. It has no control groups, which would be those of
 * this machine.
 */
export function givenNode(folder: string, range: string, more: Partial<Host> = {}): Instance {
  const real = makeLinuxHost();
  const host: Host = {
    ...real,
    getSelinux: () => ({ mode: "enforcing", policyName: "given" }),
    getSelinuxMode: () => "enforcing",
    getOwnContext: () => `system_u:system_r:svirt_manager_t:${range}`,
    isValidContext: () => true,
    readText(path) {
      if (path === "/proc/self/mounts") return undefined;
      return path.startsWith(POLICY)
        ? CONTEXTS.get(path.slice(path.lastIndexOf("/") + 1))
        : real.readText(path);
    },
    ...more,
  };
  const paths: Paths = {
    instance: "system",
    config: `${folder}/etc`,
    run: `${folder}/run`,
    state: `${folder}/state`,
    log: `${folder}/log`,
  };
  return { host, paths };
}
