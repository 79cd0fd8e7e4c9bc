import { describe, expect, test } from "bun:test";
import { formatPool, parsePool } from "../../../src/storage/pool/document.ts";
import { readPlainFolder } from "../../../src/storage/pool/plain-folder.ts";
import { bytesOf } from "../../domain/corpus.ts";
import { readDocuments } from "../../network/cases.ts";

const UUID = "70a7eb15-6c34-ee9c-bf57-69e8e5ff3fb2";
const stored = (name: string, path: string, uuid = UUID): string =>
  `<pool type='dir'>\n  <name>${name}</name>\n  <uuid>${uuid}</uuid>\n  <capacity unit='bytes'>0</capacity>\n  <allocation unit='bytes'>0</allocation>\n  <available unit='bytes'>0</available>\n  <source>\n  </source>\n  <target>\n    <path>${path}</path>\n  </target>\n</pool>\n`;

describe("readPlainFolder() reads as parsePool() does", () => {
  test.each([
    ["images", "/var/lib/libvirt/images"],
    ["a.b-c_d+e@f", "/srv/x:y/.hidden/..x"],
    [".images", "/a"],
  ])("%s at %s", (name, path) => {
    const pool = parsePool(bytesOf(stored(name, path)));
    expect(readPlainFolder(stored(name, path))).toEqual(pool);
    // It is what a start stores.
    expect(formatPool(pool)).toBe(stored(name, path));
  });
});

describe("readPlainFolder() leaves to parsePool()", () => {
  test.each([
    ["a path with ..", stored("a", "/srv/../etc")],
    ["a path with . at its end", stored("a", "/srv/.")],
    ["a path that ends with a slash", stored("a", "/srv/")],
    ["a path with two slashes", stored("a", "/srv//x")],
    ["a relative path", stored("a", "srv")],
    ["a name that no file has", stored("..", "/srv")],
    ["a name with a reference", stored("a&amp;b", "/srv")],
    ["a name with blanks", stored(" a", "/srv")],
    ["a UUID of zeros", stored("a", "/srv", "00000000-0000-0000-0000-000000000000")],
    ["a UUID in capitals", stored("a", "/srv", UUID.toUpperCase())],
    ["a UUID with its hyphens elsewhere", stored("a", "/srv", `${UUID.slice(9)}-${UUID.slice(0, 8)}`)],
    ["the path of the root", stored("a", "/")],
    ["a comment", `${stored("a", "/srv")}<!-- -->`],
    ["another type", stored("a", "/srv").replace("'dir'", "'fs'")],
  ])("%s", (_, xml) => {
    expect(readPlainFolder(xml)).toBeUndefined();
  });

  test("each document that is not written in this form, and reads each other one equally", async () => {
    for (const [, xml] of await readDocuments("pool")) {
      const read = readPlainFolder(xml);
      if (read !== undefined) expect(read).toEqual(parsePool(bytesOf(xml)));
    }
  });
});

test("a name that is too long for a pool is no pool's", () => {
  const xml = stored("a".repeat(201), "/srv");
  expect(readPlainFolder(xml)).toBeUndefined();
  expect(() => parsePool(bytesOf(xml))).toThrow("a name of 1 to 200 bytes");
});
