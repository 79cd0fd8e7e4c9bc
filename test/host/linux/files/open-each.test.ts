import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { ASIDE, MISSING, RealFolder } from "../../../real-host/folder.ts";

const LABEL = "security.selinux";
const PRIVATE = "system_u:object_r:svirt_image_t:s0:c1,c2";

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
    expect(paths.map((_, at) => files.inspected(at))).toEqual(alone);
    expect(paths.map((_, at) => files.withOpened(at, ({ facts }) => facts))).toEqual(alone);
  });

  test("are those of the moment, whatever is put at their paths meanwhile", () => {
    using folder = new RealFolder();
    const path = folder.file("disk");
    using files = folder.host.openEach([path]);
    renameSync(path, `${folder.path}/kept`);
    writeFileSync(path, "another");
    expect(files.withOpened(0, (file) => file.setXattr(LABEL, `${PRIVATE}\0`))).toBe(true);
    expect(folder.getXattr(folder.id(`${folder.path}/kept`), LABEL)).toBe(PRIVATE);
    expect(folder.getXattr(folder.id(path), LABEL)).toBeUndefined();
  });

  test("do not open what would notice it: a pipe without a writer is only inspected", () => {
    using folder = new RealFolder();
    const pipe = `${folder.path}/pipe`;
    Bun.spawnSync(["mkfifo", pipe]);
    using files = folder.host.openEach([pipe]);
    expect(files.inspected(0)?.type).toBe("fifo");
  });

  test("keep the error of each path to itself", () => {
    using folder = new RealFolder();
    const disk = folder.file("disk");
    const loop = folder.symlink("loop", "loop");
    using files = folder.host.openEach([loop, `${loop}/inner`, disk]);
    for (const at of [0, 1]) expect(() => files.inspected(at)).toThrow("ELOOP");
    expect(files.inspected(2)?.id.path).toBe(disk);
  });

  test("are closed in the end, with their folders", () => {
    using folder = new RealFolder();
    const before = listOpen();
    {
      using files = folder.host.openEach([folder.file("one"), folder.file("two"), `${folder.path}/missing`]);
      expect(files.inspected(1)?.type).toBe("file");
      expect(listOpen()).toBe(before + 3);
    }
    expect(listOpen()).toBe(before);
  });
});
