import { describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { makeFileWithin } from "../../../../src/host/linux/content/make-within.ts";
import { listLeftParts, removeLeftParts } from "../../../../src/host/linux/content/partial-volumes.ts";
import { resizeFile } from "../../../../src/host/linux/content/resize-file.ts";
import type { NewFile } from "../../../../src/host/new-file.ts";
import { partialVolume } from "../../../../src/plan/partial-names.ts";
import { RealFolder } from "../../../real-host/folder.ts";
import { errorOf } from "../../../scenes/scene.ts";

const UUID = "11111111-2222-4333-8444-000000000001";
const isFlockThere = Bun.which("flock") !== null;
const skipped = isFlockThere ? "" : " (skipped: flock is missing)";

function fileOf(text: string, more: Partial<NewFile> = {}): NewFile {
  const bytes = new TextEncoder().encode(text);
  return { name: "a", content: { bytes, sizeBytes: bytes.length }, reservedBytes: 0, mode: 0o640, ...more };
}

describe("makeFileWithin()", () => {
  test("returns the identity of the file that it made", async () => {
    using folder = new RealFolder();
    const made = await makeFileWithin(folder.id(folder.path), fileOf("text"));
    expect(made).toEqual(folder.id(`${folder.path}/a`));
    expect([readFileSync(made.path, "utf8"), readdirSync(folder.path)]).toEqual(["text", ["a"]]);
  });

  test.each(["file", "symlink"])("replaces no %s, and leaves nothing of the attempt", async (kind) => {
    using folder = new RealFolder();
    if (kind === "file") folder.file("a", "old");
    else symlinkSync("/none", `${folder.path}/a`);
    await expect(makeFileWithin(folder.id(folder.path), fileOf("new"))).rejects.toThrow("File exists");
    expect(readdirSync(folder.path)).toEqual(["a"]);
  });

  test.each([2 ** 52, 2 ** 53 - 512])(
    "names the remedy for a file of %d bytes, and leaves nothing",
    async (sizeBytes) => {
      using folder = new RealFolder();
      const content = { bytes: new Uint8Array(), sizeBytes };
      const made = Promise.try(
        async () => await makeFileWithin(folder.id(folder.path), fileOf("", { content })),
      );
      const error = await errorOf(made);
      expect([error.kind, error.message, error.remedy]).toEqual([
        "host-call",
        expect.stringMatching(/File too large/),
        "Request a smaller size: that file system has no larger files.",
      ]);
      expect(readdirSync(folder.path)).toEqual([]);
    },
  );

  test("refuses another folder in the place of the one that was inspected", async () => {
    using folder = new RealFolder();
    mkdirSync(`${folder.path}/in`);
    const inspected = folder.id(`${folder.path}/in`);
    renameSync(`${folder.path}/in`, `${folder.path}/was`);
    mkdirSync(`${folder.path}/in`);
    await expect(makeFileWithin(inspected, fileOf("text"))).rejects.toThrow("was replaced");
    expect(readdirSync(`${folder.path}/in`)).toEqual([]);
  });

  test("refuses another file in the place of the one that it copies", async () => {
    using folder = new RealFolder();
    const from = folder.id(folder.file("source", "first"));
    renameSync(from.path, `${folder.path}/was`);
    writeFileSync(from.path, "second");
    const copy = { from, isShared: false };
    await expect(makeFileWithin(folder.id(folder.path), fileOf("", { copy }))).rejects.toThrow(
      "was replaced",
    );
    expect(readdirSync(folder.path).sort()).toEqual(["source", "was"]);
  });

  test.skipIf(!isFlockThere)(
    `keeps what another process is still making, and removes it when that has ended${skipped}`,
    async () => {
      using folder = new RealFolder();
      const part = folder.file(partialVolume(UUID), "part");
      const maker = Bun.spawn(["flock", "--no-fork", part, "sh", "-c", "echo locked; exec sleep 60"], {
        stdout: "pipe",
      });
      await maker.stdout.getReader().read();
      expect(listLeftParts(folder.id(folder.path))).toEqual([]);
      await makeFileWithin(folder.id(folder.path), fileOf("", { name: "first", isReplaced: true }));
      expect(readdirSync(folder.path)).toContain(partialVolume(UUID));
      maker.kill("SIGKILL");
      await maker.exited;
      expect(listLeftParts(folder.id(folder.path))).toEqual([partialVolume(UUID)]);
      await makeFileWithin(folder.id(folder.path), fileOf("", { name: "second", isReplaced: true }));
      expect(readdirSync(folder.path).sort()).toEqual(["first", "second"]);
      folder.file(partialVolume(UUID), "part");
      removeLeftParts(folder.id(folder.path));
      expect(readdirSync(folder.path).sort()).toEqual(["first", "second"]);
    },
  );

  test("shows no name of a new file before it is whole", async () => {
    using folder = new RealFolder();
    const seen: string[][] = [];
    const parts = (function* () {
      seen.push(readdirSync(folder.path));
      yield { offset: 4096, bytes: new TextEncoder().encode("end") };
    })();
    const content = { bytes: new TextEncoder().encode("text"), sizeBytes: 4099, parts };
    const made = await makeFileWithin(folder.id(folder.path), fileOf("", { content }));
    expect([seen, readFileSync(made.path).subarray(4096).toString()]).toEqual([[[]], "end"]);
  });

  test("follows no symlink that has the name of a part", async () => {
    using folder = new RealFolder();
    const victim = folder.file("victim", "kept");
    symlinkSync(victim, `${folder.path}/${partialVolume(UUID)}`);
    await makeFileWithin(folder.id(folder.path), fileOf("text", { isReplaced: true }));
    expect(readFileSync(victim, "utf8")).toBe("kept");
  });
});

test("resizeFile() refuses another file in the place of the one that was inspected", async () => {
  using folder = new RealFolder();
  const file = folder.id(folder.file("a", "first"));
  renameSync(file.path, `${folder.path}/was`);
  writeFileSync(file.path, "second");
  await expect(resizeFile(file, 1, 0)).rejects.toThrow("was replaced");
  expect(readFileSync(file.path, "utf8")).toBe("second");
});
