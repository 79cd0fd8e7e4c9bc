import { describe, expect, test } from "bun:test";
import { Glob } from "bun";
import { formatVolume, parseVolume } from "../../../src/storage/volume/document.ts";
import { bytesOf } from "../../domain/corpus.ts";

const testData = process.env["SVIRT_TEST_DATA"];
const missing = testData === undefined ? " (skipped: SVIRT_TEST_DATA is not set)" : "";
const folder = `${testData}/libvirt/storagevolxml2xml`;

/** Elements that libvirt drops when it writes a volume, and svirt keeps. */
const KEPT: readonly string[] = ["nocow"];

describe.skipIf(testData === undefined)(`libvirt's own volumes${missing}`, () => {
  const files = testData === undefined ? [] : [...new Glob("*.xml").scanSync(`${folder}in`)].sort();
  const written = new Set(testData === undefined ? [] : new Glob("*.xml").scanSync(`${folder}out`));

  test("are there", () => {
    expect(files.length).toBeGreaterThan(10);
    expect(written.size).toBeGreaterThan(8);
  });

  test.each(files)("%s is taken, and the same when written and read again", async (file) => {
    const text = formatVolume(parseVolume(await Bun.file(`${folder}in/${file}`).bytes()));
    expect(formatVolume(parseVolume(bytesOf(text)))).toBe(text);
  });

  test.each(files.filter((file) => written.has(file)))("%s is written as libvirt writes it", async (file) => {
    const text = formatVolume(parseVolume(await Bun.file(`${folder}in/${file}`).bytes()));
    const ours = KEPT.reduce((all, tag) => all.replace(new RegExp(`^ *<${tag}/>\n`, "m"), ""), text);
    const theirs = await Bun.file(`${folder}out/${file}`).text();
    // A document that libvirt's own test does not read has an empty <source>.
    expect(ours).toBe(theirs.replace(/^ *<source>\n *<\/source>\n/m, ""));
  });
});
