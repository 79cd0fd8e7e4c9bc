import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import type { FileFacts } from "../../../../src/host/files.ts";
import { ASIDE, MISSING, RealFolder } from "../../../real-host/folder.ts";

const LABEL = "security.selinux";
const PRIVATE = "system_u:object_r:svirt_image_t:s0:c1,c2";

/** Returns the facts with times that toEqual() compares: those of a class are getters. */
function plain(facts: FileFacts) {
  const { accessedNs, changedNs, modifiedNs } = facts.times;
  return { ...facts, times: { accessedNs, changedNs, modifiedNs } };
}

/** Returns the descriptors that this process has open. */
function listOpen(): number {
  return readdirSync("/proc/self/fd").length;
}

describe.skipIf(MISSING !== undefined)(`files that are opened together${ASIDE}`, () => {
  test("have the facts that each has alone, whatever the form of its path", () => {
    using folder = new RealFolder();
    mkdirSync(`${folder.path}/sub`);
    symlinkSync(`${folder.path}/sub`, `${folder.path}/alias`);
    folder.file("disk", "content");
    folder.file("sub/inner");
    folder.symlink("link", "disk");
    folder.symlink("dangling", "nothing");
    writeFileSync(Buffer.from(`${folder.path}/a\xffb`, "latin1"), "");
    const names = [
      "disk",
      "link",
      "sub",
      "sub/",
      "sub/inner",
      "alias/inner",
      "sub/..",
      "sub/../disk",
      "a\udcffb",
    ];
    const others = ["dangling", "missing", "missing/inner", "disk/inner"];
    const paths = [
      ...[...names, ...others].map((name) => `${folder.path}/${name}`),
      "/",
      "/etc",
      "//etc//hostname",
    ];
    using files = folder.host.openEach(paths);
    const alone = paths.map((path) => folder.host.inspectFile(path));
    expect(alone.filter((facts) => facts !== undefined)).toHaveLength(paths.length - others.length);
    expect(paths.map((_, at) => files.idAt(at))).toEqual(alone.map((facts) => facts?.id));
    expect(paths.map((_, at) => files.withOpened(at, ({ facts }) => plain(facts)))).toEqual(
      alone.map((facts) => facts && plain(facts)),
    );
  });

  test("are those of the moment: what is put at their paths meanwhile is refused", () => {
    using folder = new RealFolder();
    const [path, aside] = [folder.file("disk"), `${folder.path}/kept`];
    using files = folder.host.openEach([path]);
    const label = () => files.withOpened(0, (file) => file.setXattr(LABEL, `${PRIVATE}\0`));
    renameSync(path, aside);
    expect(label()).toBeUndefined();
    writeFileSync(path, "another");
    expect(label).toThrow(`Cannot open ${path}: the file was replaced after svirt inspected it`);
    expect(folder.getXattr(folder.id(path), LABEL)).toBeUndefined();
    rmSync(path);
    symlinkSync(aside, path);
    expect(label).toThrow("replaced");
    expect(folder.getXattr(folder.id(aside), LABEL)).toBeUndefined();
    renameSync(aside, path);
    expect(label()).toBe(true);
    expect(folder.getXattr(folder.id(path), LABEL)).toBe(PRIVATE);
  });

  test("do not open what would notice it: a pipe without a writer is only inspected", () => {
    using folder = new RealFolder();
    const pipe = `${folder.path}/pipe`;
    Bun.spawnSync(["mkfifo", pipe]);
    using files = folder.host.openEach([pipe]);
    expect(files.withOpened(0, ({ facts }) => facts.type)).toBe("fifo");
  });

  test("keep the error of each path to itself", () => {
    using folder = new RealFolder();
    const disk = folder.file("disk");
    const loop = folder.symlink("loop", "loop");
    using files = folder.host.openEach([loop, `${loop}/inner`, disk]);
    for (const at of [0, 1]) expect(() => files.idAt(at)).toThrow("ELOOP");
    expect(files.idAt(2)?.path).toBe(disk);
  });

  test("are closed in the end, with their folders", () => {
    using folder = new RealFolder();
    const before = listOpen();
    {
      using files = folder.host.openEach([folder.file("one"), "/dev/null", `${folder.path}/missing`]);
      expect(files.withOpened(0, listOpen)).toBe(before + 4);
      // The folders /dev and that of the files, and the device.
      expect(listOpen()).toBe(before + 3);
    }
    expect(listOpen()).toBe(before);
  });
});
