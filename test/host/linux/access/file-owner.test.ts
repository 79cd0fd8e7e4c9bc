import { describe, expect, test } from "bun:test";
import { chmodSync, chownSync, renameSync, statSync, unlinkSync } from "node:fs";
import { SvirtError } from "../../../../src/errors.ts";
import { RealFolder } from "../../../real-host/folder.ts";

const isRoot = process.getuid?.() === 0;
const aside = isRoot ? "" : " (skipped: root is needed)";
const GUEST = 1_879_048_193;
const BEFORE = { uid: GUEST, gid: 100, mode: 0o640 };

/** Returns mode and owner as stat(1), not svirt, reports them. */
function ownerOf(path: string): string {
  return Bun.spawnSync(["stat", "-c", "%a %u:%g", path]).stdout.toString().trim();
}

function errorOf(call: () => void): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe.skipIf(!isRoot)(`owner and mode of a file on the real machine${aside}`, () => {
  test.each([
    { name: "a program that runs as its owner", mode: 0o4777, uid: GUEST, gid: 100 },
    { name: "a program that runs as its group", mode: 0o2770, uid: GUEST, gid: 27 },
    { name: "another owner's", mode: 0o640, uid: 0, gid: 0 },
    { name: "nobody's to open", mode: 0o000, uid: GUEST, gid: 100 },
  ])("come back from $name", ({ gid, mode, uid }) => {
    using folder = new RealFolder();
    const path = folder.file("disk", "x");
    chownSync(path, uid, gid);
    chmodSync(path, mode);
    folder.host.setOwnership(folder.id(path), BEFORE);
    expect(ownerOf(path)).toBe(`640 ${GUEST}:100`);
  });

  test("are an error with its attempt and a remedy where the file is missing", () => {
    using folder = new RealFolder();
    const path = folder.file("disk", "x");
    const file = folder.id(path);
    unlinkSync(path);
    const calls = [
      () => folder.host.setOwnership(file, BEFORE),
      () => folder.host.grantAccess(file, { uid: GUEST, access: "read-only" }),
      () => folder.host.revokeAccess(file, GUEST),
    ];
    for (const call of calls) {
      const error = errorOf(call);
      expect(error).toBeInstanceOf(SvirtError);
      expect(error).toMatchObject({ kind: "host-call", remedy: "Correct the path." });
      expect(String(error)).toContain(`Cannot open ${path}: ENOENT`);
    }
  });

  test("keep the bits that chown(2) takes away, where the file had them before", () => {
    using folder = new RealFolder();
    const path = folder.file("content", "x");
    folder.host.setOwnership(folder.id(path), { uid: GUEST, gid: 100, mode: 0o4755 });
    expect(ownerOf(path)).toBe(`4755 ${GUEST}:100`);
  });

  test("are written only where they differ: the time of the last change stays", () => {
    using folder = new RealFolder();
    const path = folder.file("disk", "x");
    folder.host.setOwnership(folder.id(path), BEFORE);
    const { ctimeMs } = statSync(path);
    Bun.sleepSync(20);
    folder.host.setOwnership(folder.id(path), BEFORE);
    expect(statSync(path).ctimeMs).toBe(ctimeMs);
  });

  test("are not given to another file, nor to what a symlink in its place leads to", () => {
    using folder = new RealFolder();
    const file = folder.id(folder.file("disk", "x"));
    renameSync(file.path, `${file.path}.old`);
    const other = folder.file("other", "y");
    chmodSync(other, 0o600);
    folder.symlink("disk", other);
    expect(() => folder.host.setOwnership(file, BEFORE)).toThrow();
    folder.host.removeFile(file.path);
    chmodSync(folder.file("disk", "z"), 0o600);
    expect(() => folder.host.setOwnership(file, BEFORE)).toThrow("the file was replaced");
    expect([ownerOf(other), ownerOf(file.path)]).toEqual(["600 0:0", "600 0:0"]);
  });
});
