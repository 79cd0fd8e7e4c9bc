import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { judgeBeginnings } from "../../../../src/host/linux/files/beginnings.ts";
import { inspectFile } from "../../../../src/host/linux/files/inspect-file.ts";
import type { FileId } from "../../../../src/plan/facts/file.ts";

const work = mkdtempSync(`${tmpdir()}/svirt-beginnings-`);
afterAll(() => rmSync(work, { recursive: true }));

const text = (bytes: Uint8Array | undefined): string => (bytes === undefined ? "unread" : bytes.toString());

/** Makes a folder, and returns its identity. */
function folderWith(name: string, fill: (path: string) => void): FileId {
  const path = `${work}/${name}`;
  mkdirSync(path);
  fill(path);
  const found = inspectFile(path);
  if (found === undefined) throw new Error(`${path} is missing`);
  return found.id;
}

test("judgeBeginnings() reads the beginning of each file, and of nothing else", () => {
  const folder = folderWith("types", (path) => {
    writeFileSync(`${path}/long`, new Uint8Array(9000).fill(7));
    writeFileSync(`${path}/short`, "\x01\x02");
    writeFileSync(`${path}/empty`, "");
    writeFileSync(`${path}/ü`, "\x03");
    symlinkSync(`${path}/short`, `${path}/link`);
    mkdirSync(`${path}/folder`);
    Bun.spawnSync(["mkfifo", `${path}/fifo`]);
  });
  expect(judgeBeginnings(folder, 4, text)).toEqual([
    { name: "empty", found: "" },
    { name: "long", found: "7,7,7,7" },
    { name: "short", found: "1,2" },
    { name: "ü", found: "3" },
  ]);
});

test("judgeBeginnings() lists only what is judged to be meant, of a folder with thousands of files", () => {
  const folder = folderWith("many", (path) => {
    for (let at = 0; at < 3000; at += 1)
      writeFileSync(`${path}/a-name-that-is-longer-than-usual-${at}`, at % 1000 === 0 ? "x" : "");
  });
  const found = judgeBeginnings(folder, 1, (bytes) => (bytes?.length === 1 ? true : undefined));
  expect(found.map(({ name }) => name.replace(/.*-/, ""))).toEqual(["0", "1000", "2000"]);
});

test("judgeBeginnings() refuses another folder than the inspected one", () => {
  const folder = folderWith("first", () => undefined);
  renameSync(folder.path, `${folder.path}.old`);
  mkdirSync(folder.path);
  expect(() => judgeBeginnings(folder, 1, text)).toThrow("the file was replaced after svirt inspected it");
});
