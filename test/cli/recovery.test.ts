import { expect, test } from "bun:test";
import { COMMANDS } from "../../src/cli/commands.ts";

/** Commands that do not finish or undo all interrupted work of their guest first, and why. */
const OTHERS = new Map([
  // About every guest.
  ["list", "all"],
  ["domstats", "all"],
  // Ends the guest, and its changes with it: its QEMU need not answer.
  ["destroy", "others"],
  // About the host and its files: an ordinary user may have no folders of records.
  ...["capabilities", "doctor", "version", "label show", "label set", "label restore", "label release"].map(
    (name) => [name, "root"] as const,
  ),
  // Recover by themselves, or call another command.
  ...["recover", "reap", "shell"].map((name) => [name, "none"] as const),
  // Read XML, files or the host, and no state of a guest.
  ...["validate", "domxml-to-native", "save-image-dumpxml", "vol-dumpxml", "vol-info"].map(
    (name) => [name, "none"] as const,
  ),
  ...["domcapabilities", "freecell", "hostname", "maxvcpus", "nodecpumap", "nodecpustats"].map(
    (name) => [name, "none"] as const,
  ),
  ...["nodeinfo", "nodememstats", "sysinfo", "uri"].map((name) => [name, "none"] as const),
  // Show what is, also what was left undone.
  ...["audit", "explain"].map((name) => [name, "none"] as const),
]);

test("every command recovers first, but for these", async () => {
  const specs = await Promise.all([...COMMANDS.values()].map(async (load) => (await load()).command.spec));
  const found = specs.flatMap(({ name, recovery = "first" }) =>
    recovery === "first" ? [] : [[name, recovery]],
  );
  expect(found.sort()).toEqual([...OTHERS].map(([name, recovery]) => [name, recovery]).sort());
});
