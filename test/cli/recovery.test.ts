import { expect, test } from "bun:test";
import { COMMANDS } from "../../src/cli/commands.ts";

/** Commands that do not first finish or undo all interrupted work of their guest, and why. */
const OTHERS = new Map([
  // They read the state of every guest.
  ["list", "all"],
  ["domstats", "all"],
  // Ends the guest together with its changes: its QEMU need not answer.
  ["destroy", "others"],
  // They concern the work of another call, which may still go on.
  ...["domjobinfo", "domjobabort"].map((name) => [name, "none"] as const),
  // They concern the host and its files. An ordinary user may have no folders of records.
  ...["capabilities", "doctor", "version", "label show", "label set", "label restore", "label release"].map(
    (name) => [name, "root"] as const,
  ),
  // They recover by themselves, or call another command.
  ...["recover", "reap", "shell", "virt-ssh-helper"].map((name) => [name, "none"] as const),
  // They read XML, files or the host, and no state of a guest.
  ...["validate", "domxml-to-native", "save-image-dumpxml"].map((name) => [name, "none"] as const),
  ...["dumpxml", "info", "key", "list", "name", "path", "pool"].map(
    (name) => [`vol-${name}`, "none"] as const,
  ),
  ...["domcapabilities", "freecell", "hostname", "maxvcpus", "nodecpumap", "nodecpustats"].map(
    (name) => [name, "none"] as const,
  ),
  ...["freepages", "node-memory-tune", "nwfilter-list", "nwfilter-dumpxml"].map(
    (name) => [name, "none"] as const,
  ),
  ...["cpu-models", "cpu-compare", "cpu-baseline", "hypervisor-cpu-compare", "hypervisor-cpu-baseline"].map(
    (name) => [name, "none"] as const,
  ),
  ...["nodedev-list", "nodedev-dumpxml", "nodedev-info"].map((name) => [name, "none"] as const),
  ...["list", "dumpxml", "name", "mac"].map((name) => [`iface-${name}`, "none"] as const),
  // A guest whose start or end was interrupted may have the device.
  ...["detach", "reattach", "reset"].map((name) => [`nodedev-${name}`, "all"] as const),
  ...["nodeinfo", "nodememstats", "sysinfo", "uri"].map((name) => [name, "none"] as const),
  // They concern networks and pools, which no interrupted work of a guest changes.
  ["find-storage-pool-sources", "none"],
  ["find-storage-pool-sources-as", "none"],
  ...["define", "edit", "undefine", "create", "create-default", "start", "destroy", "autostart"].map(
    (name) => [`net-${name}`, "none"] as const,
  ),
  ...["list", "info", "dumpxml", "name", "uuid", "dhcp-leases"].map(
    (name) => [`net-${name}`, "none"] as const,
  ),
  ...["define", "define-as", "edit", "undefine", "create", "create-as", "build", "start", "refresh"].map(
    (name) => [`pool-${name}`, "none"] as const,
  ),
  ...["destroy", "delete", "autostart", "list", "info", "dumpxml", "name", "uuid", "capabilities"].map(
    (name) => [`pool-${name}`, "none"] as const,
  ),
  // No guest's work changes secrets. Each change removes what an interrupted one has left.
  ...["define", "undefine", "set-value", "get-value", "list", "dumpxml"].map(
    (name) => [`secret-${name}`, "none"] as const,
  ),
  // They show the current state, including unfinished work.
  ...["audit", "explain", "event", "net-event", "nodedev-event", "pool-event", "secret-event"].map(
    (name) => [name, "none"] as const,
  ),
]);

test("every command recovers first, but for these", async () => {
  const specs = await Promise.all([...COMMANDS.values()].map(async (load) => (await load()).command.spec));
  const found = specs.flatMap(({ name, recovery = "first" }) =>
    recovery === "first" ? [] : [[String(name), recovery]],
  );
  expect(found.sort()).toEqual([...OTHERS].map(([name, recovery]) => [name, recovery]).sort());
});
