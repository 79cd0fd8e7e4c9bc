import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync } from "node:fs";
import { RealFolder } from "../../../real-host/folder.ts";

test("removeSame() removes the file that was inspected, and does nothing if it is missing", () => {
  using folder = new RealFolder();
  const file = folder.file("a b\n", "x");
  const id = folder.id(file);
  folder.host.removeSame(id);
  expect(existsSync(file)).toBe(false);
  folder.host.removeSame(id);
  folder.host.removeSame({ ...id, path: `${folder.path}/no/file` });
});

test("removeSame() refuses another file at the path, and a symlink", () => {
  using folder = new RealFolder();
  const file = folder.file("file", "x");
  const id = folder.id(file);
  renameSync(file, `${folder.path}/moved`);
  folder.file("file", "other");
  expect(() => folder.host.removeSame(id)).toThrow("the file was replaced after svirt inspected it");
  renameSync(folder.symlink("link", "moved"), file);
  expect(() => folder.host.removeSame(id)).toThrow("the file was replaced after svirt inspected it");
  expect(readdirSync(folder.path)).toEqual(["file", "moved"]);
});

test.each(["the folder", "a folder above"])(
  "removeSame() is not redirected by a link that replaces %s",
  (which) => {
    using folder = new RealFolder();
    const [one, two] = [`${folder.path}/one`, `${folder.path}/two`];
    for (const place of [one, two]) mkdirSync(`${place}/in`, { recursive: true });
    const file = folder.file("one/in/file", "x");
    const id = folder.id(file);
    const other = folder.file("two/in/file", "other");
    const [from, to] = which === "the folder" ? [`${one}/in`, `${two}/in`] : [one, two];
    renameSync(from, `${folder.path}/moved`);
    symlinkSync(to, from);
    try {
      folder.host.removeSame(id);
    } catch (error) {
      expect(String(error)).toContain("the file was replaced after svirt inspected it");
    }
    expect(readFileSync(other, "utf8")).toBe("other");
  },
);
