import { describe, expect, test } from "bun:test";
import { Glob } from "bun";
import { formatDomain, parseDomain } from "../../src/domain/document.ts";
import { listResources } from "../../src/domain/resources/resources.ts";
import { SvirtError } from "../../src/errors.ts";
import { runsOf, sampleOf } from "../sample.ts";
import { bytesOf } from "./corpus.ts";

const testData = process.env["SVIRT_TEST_DATA"];
const missing = testData === undefined ? " (skipped: SVIRT_TEST_DATA is not set)" : "";
const SPARE = "00000000-0000-4000-8000-000000000001";

describe.skipIf(testData === undefined)(`libvirt's own documents${missing}`, () => {
  test.each([
    ["qemuxmlconfdata", 200],
    ["genericxml2xmlindata", 0],
    ["qemuxmlactive2xmldata", 0],
    ["qemuhotplugtestdomains", 0],
  ])("%s: each is taken and stable, or refused by its path", async (folder, least) => {
    const wrong: string[] = [];
    let taken = 0;
    const files = [...new Glob("*.xml").scanSync(`${testData}/libvirt/${folder}`)].sort();
    for (const file of sampleOf(files)) {
      const verdict = judge(await Bun.file(`${testData}/libvirt/${folder}/${file}`).bytes());
      if (verdict === "taken") taken += 1;
      else if (verdict !== "refused") wrong.push(`${file}: ${verdict}`);
    }
    expect(wrong).toEqual([]);
    expect(files.length).toBeGreaterThan(5);
    expect(taken).toBeGreaterThanOrEqual(runsOf(least));
  });
});

function judge(bytes: Uint8Array): string {
  try {
    const value = parseDomain(bytes, SPARE);
    const written = formatDomain(value);
    const again = parseDomain(bytesOf(written));
    const same = Bun.deepEquals(again, value, true) && formatDomain(again) === written;
    return same && Bun.deepEquals(listResources(again), listResources(value))
      ? "taken"
      : "changes when written";
  } catch (thrown) {
    if (!(thrown instanceof SvirtError)) return String(thrown);
    const placed = /^Cannot read (?:\/[^\n]* in line \d+|the XML in line \d+, column \d+): [^\n]+$/.test(
      thrown.message,
    );
    return placed && thrown.exitCode === 2 ? "refused" : thrown.message;
  }
}
