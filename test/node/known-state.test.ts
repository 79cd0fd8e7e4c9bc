import { afterAll, expect } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { onANode } from "./harness/on-a-node.ts";
import { node, onNode } from "./harness/on-the-node.ts";

// The check that scripts/lib/node-tests makes after every test file on a node.

const KNOWN_STATE = fileURLToPath(new URL("../../scripts/lib/known-state", import.meta.url));
const FOLDER = mkdtempSync(`${tmpdir()}/svirt-known-state-`);
const onTheNode = await onANode();

afterAll(() => rmSync(FOLDER, { recursive: true }));

/** Runs the check, which may not boot the node, and returns its progress lines. */
async function knownState(...words: readonly string[]): Promise<string> {
  const env = {
    ...process.env,
    SVIRT_NODE: process.env["SVIRT_NODE"] ?? "main",
    SVIRT_OWN_NODES: "",
    SVIRT_STATE_FOLDER: FOLDER,
  };
  const child = Bun.spawn([KNOWN_STATE, ...words], {
    env,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const [err, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  expect(code).toBe(0);
  return err;
}

onTheNode(
  "remains of a test file are named and removed: a guest, files, mounts, a loop device, a module",
  async () => {
    await knownState("note");
    expect(await knownState("check", "nothing")).toBe("");
    await onNode(`
    guest left-a
    svirt start left-a >/dev/null
    mkdir -p "/srv/left b/c" /var/lib/left /sys/fs/cgroup/left
    mount -t tmpfs none "/srv/left b"
    dd if=/dev/zero of=/tmp/left.img bs=1M count=1 2>/dev/null
    losetup /dev/loop3 /tmp/left.img
    modprobe dm_mod
    echo left >/proc/sys/kernel/hostname
    echo svirt-node >/proc/sys/kernel/hostname
  `);
    const named = await knownState("check", "a.test.ts");
    expect(named).toContain("by a.test.ts:");
    for (const line of [
      "process /usr/bin/qemu-system-x86_64",
      "mount none /srv/left\\040b tmpfs",
      "loop /dev/loop3",
      "control group /sys/fs/cgroup/left",
    ])
      expect(named).toContain(`> ${line}\n`);
    expect(named).not.toContain("is not as it was");
    expect(await knownState("check", "b.test.ts")).toBe("");
  },
);

onTheNode("a changed label is no remain that can be removed: the node has to boot", async () => {
  const label = (type: string): string =>
    `setfattr -n security.selinux -v system_u:object_r:${type}:s0 /dev/vde`;
  await knownState("note");
  await node(["ssh", label("svirt_image_t")]);
  expect(await knownState("check", "c.test.ts")).toContain("is not as it was before c.test.ts");
  await node(["ssh", label("fixed_disk_device_t")]);
  expect(await knownState("check", "d.test.ts")).toBe("");
});
