import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readlinkSync, renameSync } from "node:fs";
import { ASIDE, MISSING, RealFolder } from "../../../real-host/folder.ts";

describe.skipIf(MISSING !== undefined)(`a link to a guest's socket on the real machine${ASIDE}`, () => {
  test("is made in the very folder that was inspected, and in the place of nothing", () => {
    using folder = new RealFolder();
    const path = `${folder.path}/one/socket`;
    mkdirSync(`${folder.path}/one`);
    const one = folder.id(`${folder.path}/one`);
    folder.host.makeLinkWithin(one, { path, target: "/run/target" });
    expect(readlinkSync(path)).toBe("/run/target");
    expect(() => folder.host.makeLinkWithin(one, { path, target: "/run/other" })).toThrow("EEXIST");
    renameSync(`${folder.path}/one`, `${folder.path}/two`);
    mkdirSync(`${folder.path}/one`);
    expect(() => folder.host.makeLinkWithin(one, { path, target: "/run/target" })).toThrow(
      "the file was replaced",
    );
    expect(existsSync(path)).toBe(false);
  });

  test("is removed where it still leads there", () => {
    using folder = new RealFolder();
    const link = folder.symlink("link", "/run/target");
    folder.host.removeLink(link, "/run/other");
    expect(readlinkSync(link)).toBe("/run/target");
    folder.host.removeLink(link, "/run/target");
    folder.host.removeLink(link, "/run/target");
    expect(() => readlinkSync(link)).toThrow();
    const file = folder.file("file", "x");
    folder.host.removeLink(file, "/run/target");
    expect(existsSync(file)).toBe(true);
  });
});
