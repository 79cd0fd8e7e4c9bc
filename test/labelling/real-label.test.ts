import { describe, expect, test } from "bun:test";
import { chmodSync, chownSync, mkdirSync, statSync, symlinkSync } from "node:fs";
import type { Host } from "../../src/host/host.ts";
import { restoreLabels } from "../../src/labelling/set-label.ts";
import { showLabel } from "../../src/labelling/show-label.ts";
import { readFileContexts } from "../../src/report/default-labels.ts";
import type { Instance } from "../../src/state/instance.ts";
import { ASIDE, MISSING, RealFolder } from "../real-host/folder.ts";
import { setLabel } from "../scenes/set-label.ts";

const DEFAULT = "system_u:object_r:virt_image_t:s0";
const WANTED = "system_u:object_r:virt_content_t:s0";
const GONE = "system_u:object_r:svirt_image_t:s0:c7,c9";

/** Returns a node on the real machine, but with a policy of the test: the machine may have none. */
function nodeIn(folder: RealFolder): Instance {
  const policy = new Map([
    ["file_contexts", `${folder.path}(/.*)?\t--\t${DEFAULT}\n`],
    ["virtual_image_context", "system_u:object_r:svirt_image_t:s0\nsystem_u:object_r:virt_content_t:s0\n"],
  ]);
  const host: Host = {
    ...folder.host,
    readText: (path) =>
      path.startsWith("/etc/selinux/")
        ? policy.get(path.slice(path.lastIndexOf("/") + 1))
        : folder.host.readText(path),
    isValidContext: () => true,
  };
  const at = (name: string): string => `${folder.path}/${name}`;
  return {
    host,
    paths: { instance: "system", config: at("etc"), run: at("run"), state: at("lib"), log: at("log") },
  };
}

describe.skipIf(MISSING !== undefined)(`labels of real files${ASIDE}`, () => {
  test("are set, shown and restored on the file that a symlink leads to, and nothing else changes", async () => {
    using folder = new RealFolder();
    const instance = nodeIn(folder);
    const contexts = readFileContexts(instance.host);
    const disk = folder.file("disk.raw", "content");
    chmodSync(disk, 0o640);
    chownSync(disk, 1234, 1234);
    const link = folder.symlink("link", disk);
    const before = statSync(disk);
    folder.setXattr(folder.id(disk), "trusted.libvirt.security.selinux", GONE);

    await setLabel(instance, { path: link, isDryRun: false }, GONE);
    expect(folder.getXattr(folder.id(disk), "security.selinux")).toBe(GONE);
    expect(showLabel(instance, link, contexts)).toEqual({
      path: disk,
      label: GONE,
      defaultLabel: DEFAULT,
      usedBy: [],
      remembered: undefined,
      givenBack: DEFAULT,
      isStale: true,
    });
    const wouldBe = await restoreLabels(instance, { paths: [disk], isDryRun: true }, contexts);
    expect(wouldBe).toEqual({ done: [{ path: disk, from: GONE, to: DEFAULT }], errors: [] });
    expect(folder.getXattr(folder.id(disk), "security.selinux")).toBe(GONE);
    await restoreLabels(instance, { paths: [link], isDryRun: false }, contexts);
    expect(folder.getXattr(folder.id(disk), "security.selinux")).toBe(DEFAULT);
    const after = statSync(disk);
    expect([after.ino, after.mode, after.uid, after.size, after.mtimeMs]).toEqual([
      before.ino,
      before.mode,
      before.uid,
      before.size,
      before.mtimeMs,
    ]);
  });

  test("are set on folders, and the default depends on what a file is", async () => {
    using folder = new RealFolder();
    const instance = nodeIn(folder);
    const inside = `${folder.path}/folder`;
    mkdirSync(inside);
    await setLabel(instance, { path: inside, isDryRun: false }, WANTED);
    expect(showLabel(instance, inside, readFileContexts(instance.host))).toMatchObject({
      label: WANTED,
      defaultLabel: undefined,
    });
  });

  test("are not set on what a symlink of the host leads to", async () => {
    using folder = new RealFolder();
    symlinkSync("/etc/hostname", `${folder.path}/trap`);
    await expect(
      setLabel(nodeIn(folder), { path: `${folder.path}/trap`, isDryRun: false }, WANTED),
    ).rejects.toThrow("belongs to the host");
  });
});
