import type { Host } from "../../src/host/host.ts";
import { makeLinuxHost } from "../../src/host/linux/linux-host.ts";
import type { Paths } from "../../src/plan/paths.ts";
import type { Node } from "../../src/state/instance.ts";

const POLICY = "/etc/selinux/given/";
/** What a policy says of guests: the reference's own test data, securityselinuxhelperdata. */
const CONTEXTS = new Map([
  ["virtual_domain_context", "system_u:system_r:svirt_t:s0\nsystem_u:system_r:svirt_tcg_t:s0\n"],
  ["virtual_image_context", "system_u:object_r:svirt_image_t:s0\nsystem_u:object_r:virt_content_t:s0\n"],
]);

/**
 * A node that keeps what it keeps in a folder. Its host is the real one; only what it says of SELinux is given, since
 * this kernel may run without: svirt runs with that range. It has no control groups, which would be this machine's.
 */
export function givenNode(folder: string, range: string, more: Partial<Host> = {}): Node {
  const real = makeLinuxHost();
  const host: Host = {
    ...real,
    getSelinux: () => ({ mode: "enforcing", policyName: "given" }),
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
