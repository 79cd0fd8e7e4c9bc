import { parseDomain } from "../../src/domain/document.ts";
import { makeLinuxHost } from "../../src/host/linux/linux-host.ts";
import type { Paths } from "../../src/plan/paths.ts";
import { chooseUid } from "../../src/vm/choose-uid.ts";
import { withRegistryLock } from "../../src/vm/clear-away.ts";
import { decideGuestLabel } from "../../src/vm/decide-guest-label.ts";
import { type Node, registryOf } from "../../src/vm/node.ts";

/**
 * Decides and reserves the levels of guests FIRST to LAST, as a start does: `level-starter.ts FOLDER RANGE FIRST LAST`.
 * The host is the real one; only what it says of SELinux is given, as this kernel may run without.
 */
const [folder = "", range = "", first = "0", last = "0"] = process.argv.slice(2);
const real = makeLinuxHost();
const paths: Paths = {
  instance: "system",
  config: `${folder}/etc`,
  run: `${folder}/run`,
  state: `${folder}/state`,
  log: `${folder}/log`,
};
const contexts = new Map([
  ["virtual_domain_context", "system_u:system_r:svirt_t:s0\nsystem_u:system_r:svirt_tcg_t:s0\n"],
  ["virtual_image_context", "system_u:object_r:svirt_image_t:s0\nsystem_u:object_r:virt_content_t:s0\n"],
]);
const node: Node = {
  paths,
  host: {
    ...real,
    getSelinux: () => ({ mode: "enforcing", policyName: "given" }),
    getOwnContext: () => `system_u:system_r:svirt_manager_t:${range}`,
    isValidContext: () => true,
    readText: (path) =>
      path.startsWith("/etc/selinux/given/")
        ? contexts.get(path.slice(path.lastIndexOf("/") + 1))
        : real.readText(path),
  },
};

for (let at = Number(first); at <= Number(last); at += 1) {
  const uuid = `55555555-2222-4333-8444-${String(at).padStart(12, "0")}`;
  const xml = `<domain type='kvm'><name>vm${at}</name><uuid>${uuid}</uuid><memory>65536</memory><os><type>hvm</type></os><devices/></domain>`;
  const domain = parseDomain(new TextEncoder().encode(xml));
  await withRegistryLock(node, async () => {
    const label = decideGuestLabel(node, domain);
    const uid = chooseUid(node, uuid);
    registryOf(node).reserve({ kind: "level", key: label.range ?? "none", sharing: "exclusive" }, uuid);
    registryOf(node).reserve({ kind: "uid", key: String(uid), sharing: "exclusive" }, uuid);
    process.stdout.write(`${label.label} ${uid}\n`);
  });
}
