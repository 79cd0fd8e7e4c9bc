import { describe, expect, test } from "bun:test";
import { chmodSync, existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { ASIDE, MISSING, OWN_USER, RealFolder } from "../../../real-host/folder.ts";

describe.skipIf(MISSING !== undefined)(`names on the real machine${ASIDE}`, () => {
  test("makes a symlink in place of one that is there, and leaves what that led to", () => {
    using folder = new RealFolder();
    const old = folder.file("old", "old\n");
    const path = folder.symlink("link", old);
    folder.host.makeSymlink(path, "../elsewhere");
    expect([readlinkSync(path), readFileSync(old, "utf8")]).toEqual(["../elsewhere", "old\n"]);
    expect(() => folder.host.makeSymlink(`${folder.path}/none/link`, "x")).toThrow("Cannot create symlink ");
  });

  test("renames a file over another one, but nothing that a symlink leads to", () => {
    using folder = new RealFolder();
    const [from, to] = [folder.file("from", "new\n"), folder.file("to", "old\n")];
    folder.host.renameFile(from, to);
    expect([existsSync(from), readFileSync(to, "utf8")]).toEqual([false, "new\n"]);
    const link = folder.symlink("link", to);
    expect(() => folder.host.renameFile(link, `${folder.path}/other`)).toThrow(`Cannot rename ${link} to `);
    expect([readlinkSync(link), existsSync(`${folder.path}/other`)]).toEqual([to, false]);
  });

  test("makes, renames, replaces and removes a file by a name that is not UTF-8", () => {
    using folder = new RealFolder();
    const [made, moved] = [`${folder.path}/a\udcff`, `${folder.path}/b\udcff`];
    const names = () =>
      readdirSync(folder.path, { encoding: "buffer" }).map((name) => name.toString("latin1"));
    folder.host.makeFile(made, 0o600, { bytes: new TextEncoder().encode("made"), sizeBytes: 4 });
    expect(names()).toEqual(["a\xff"]);
    folder.host.makeFile(`${made}-empty`, 0o600);
    folder.host.removeFile(`${made}-empty`);
    folder.host.renameFile(made, moved);
    expect(names()).toEqual(["b\xff"]);
    folder.host.removeFile(moved);
    expect(names()).toEqual([]);
  });

  test("says whether svirt's user may open a file for reading and writing", () => {
    const module = new URL("../../../../src/host/linux/linux-host.ts", import.meta.url).pathname;
    using folder = new RealFolder();
    chmodSync(folder.path, 0o711);
    const modes = [0o666, 0o444, 0o222, 0o600];
    const paths = modes.map((mode) => {
      const path = folder.file(`file-${mode}`);
      chmodSync(path, mode);
      return path;
    });
    const script = `import { makeLinuxHost } from "${module}";
      const host = makeLinuxHost();
      const ids = ${JSON.stringify(paths)}.map((path) => host.inspectFile(path).id);
      process.setuid(${OWN_USER});
      process.stdout.write(JSON.stringify(ids.map((id) => host.mayOpen(id))));`;
    const { stdout } = Bun.spawnSync([process.execPath, "-e", script]);
    expect(JSON.parse(stdout.toString())).toEqual([true, false, false, false]);
  });
});
