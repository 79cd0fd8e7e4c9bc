import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { ASIDE, MISSING, RealFolder } from "../../../real-host/folder.ts";

const LABEL = "security.selinux";
const PRIVATE = "system_u:object_r:svirt_image_t:s0:c1,c2";
const SECRET = "system_u:object_r:shadow_t:s0";

/** Replaces the file at the path, and keeps the first one beside it. */
function swap(folder: RealFolder, path: string): void {
  renameSync(path, `${folder.path}/kept`);
  writeFileSync(path, "another");
}

describe.skipIf(MISSING !== undefined)(`a file that is kept open${ASIDE}`, () => {
  test.each(["withInspected", "withAttributes"] as const)(
    "is the one that is labelled and read, whatever is put at its path meanwhile: %s",
    (call) => {
      using folder = new RealFolder();
      const path = folder.file("disk");
      const file = folder.id(path);
      const work = (attributes: Parameters<Parameters<typeof folder.host.withAttributes>[1]>[0]): void => {
        swap(folder, path);
        expect(attributes.setXattr(LABEL, `${PRIVATE}\0`)).toBe(true);
        expect(attributes.getXattr(LABEL)).toBe(PRIVATE);
      };
      if (call === "withInspected") folder.host.withInspected(path, work);
      else folder.host.withAttributes(file, work);
      expect(folder.getXattr(folder.id(`${folder.path}/kept`), LABEL)).toBe(PRIVATE);
      expect(folder.getXattr(folder.id(path), LABEL)).toBeUndefined();
    },
  );

  test("has its label and its bytes also by a name that is not UTF-8", () => {
    using folder = new RealFolder();
    writeFileSync(Buffer.from(`${folder.path}/a\xffb`, "latin1"), "content");
    const link = `${folder.path}/link`;
    symlinkSync(Buffer.from(`${folder.path}/a\xffb`, "latin1"), link);
    const path = `${folder.path}/a\udcffb`;
    for (const name of [path, link]) {
      const file = folder.id(name);
      expect(file.path).toBe(path);
      expect(folder.host.withAttributes(file, (found) => found.setXattr(LABEL, `${name.length}`))).toBe(true);
      expect(folder.getXattr(file, LABEL)).toBe(`${name.length}`);
      expect(new TextDecoder().decode(folder.host.readBytes(file, 0, 7))).toBe("content");
      expect(new TextDecoder().decode(folder.host.readInput(name, 7))).toBe("content");
    }
    expect(folder.host.inspectFile(`${folder.path}/a\udcfeb`)).toBeUndefined();
  });

  test("tells all its attributes, and which are gone", () => {
    using folder = new RealFolder();
    folder.host.withInspected(folder.file("disk"), (file) => {
      const before = file.listXattrs();
      const long = "user.".padEnd(200, "n");
      for (const name of [LABEL, "trusted.svirt.boot_id", "user.note", long]) file.setXattr(name, "value");
      file.removeXattr("user.note");
      file.removeXattr("user.note");
      expect(new Set(file.listXattrs())).toEqual(new Set([...before, LABEL, "trusted.svirt.boot_id", long]));
      expect([file.getXattr(long), file.getXattr("user.note")]).toEqual(["value", undefined]);
    });
  });

  test("is what a symlink led to when it was opened", () => {
    using folder = new RealFolder();
    const [path, secret] = [folder.file("disk"), folder.file("secret")];
    folder.setXattr(folder.id(secret), LABEL, `${SECRET}\0`);
    const link = folder.symlink("link", path);
    folder.host.withInspected(link, (file) => {
      unlinkSync(link);
      folder.symlink("link", secret);
      expect(file.facts.id.path).toBe(path);
      file.setXattr(LABEL, `${PRIVATE}\0`);
    });
    expect(folder.getXattr(folder.id(path), LABEL)).toBe(PRIVATE);
    expect(folder.getXattr(folder.id(secret), LABEL)).toBe(SECRET);
  });

  test("is closed, also where the work with it fails", () => {
    using folder = new RealFolder();
    const path = folder.file("disk");
    const file = folder.id(path);
    const count = (): number => readdirSync("/proc/self/fd").length;
    const fail = (): never => {
      throw new Error("a fault");
    };
    folder.host.inspectFile(path);
    const before = count();
    for (let at = 0; at < 20; at += 1) {
      expect(() => folder.host.withInspected(path, fail)).toThrow("a fault");
      expect(() => folder.host.withAttributes(file, fail)).toThrow("a fault");
      folder.host.inspectFile("/proc/self/fd/0");
    }
    expect(count()).toBe(before);
  });

  test("that is not there is no work, and an error of the work is not taken for that", () => {
    using folder = new RealFolder();
    expect(folder.host.withInspected(`${folder.path}/no`, () => "done")).toBeUndefined();
    const path = folder.file("disk");
    const missing = Object.assign(new Error("ENOENT within"), { code: "ENOENT" });
    const fail = (): never => {
      throw missing;
    };
    expect(() => folder.host.withInspected(path, fail)).toThrow("ENOENT within");
  });

  test("has its own name, also one like those that the kernel makes up", () => {
    using folder = new RealFolder();
    const path = folder.file("disk (deleted)");
    expect(folder.host.inspectFile(folder.symlink("link", path))?.id.path).toBe(path);
    mkdirSync(`${folder.path}/pipe:[1]`);
    const inside = folder.file("pipe:[1]/disk");
    expect(folder.host.inspectFile(`${folder.path}/./pipe:[1]//disk`)?.id.path).toBe(inside);
  });

  test("is told of in an error by the path that people know", () => {
    using folder = new RealFolder();
    const path = folder.file("disk");
    const set = (): unknown => folder.setXattr(folder.id(path), "nonsense", "value".repeat(20_000));
    expect(set).toThrow(`Cannot set nonsense of ${path}: `);
  });
});
