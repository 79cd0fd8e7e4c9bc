import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Glob } from "bun";
import { SYSTEM_PATHS } from "../../src/plan/paths.ts";
import { sampleOf } from "../sample.ts";
import { hostileDocuments } from "../xml/hostile-documents.ts";
import { measuredRuns, type Outcome } from "./measured-runs.ts";

// Passes every bad document to the shipped executable: exit 2, and one line per refusal that names the place.
// It takes under a second and 300 MiB, and changes nothing on disk.

const SVIRT = new URL("../../dist/svirt", import.meta.url).pathname;
const BAD = new URL("../data/xml-bad/", import.meta.url).pathname;
const MOST_MS = 1000;
const MOST_RSS_BYTES = 300 * 1024 * 1024;
const PLACE = /^error: Cannot read (?:\/\S+ in line \d+|the XML in line \d+, column \d+|the XML): \S/;
/** Further errors after a refusal to read the document. */
const BESIDES =
  /^error: (?:Cannot start the guest: \/\S+: \S|Cannot list all refusals: there are more than 100$)/;
/** A hundred refusals, and the error that there are more. */
const MOST_ERRORS = 101;

const folder = mkdtempSync(join(tmpdir(), "svirt-bad-input-"));
const files = [...new Glob("*.xml").scanSync(BAD)].sort();

const measure = measuredRuns();
let before: readonly string[] = [];
beforeAll(() => {
  before = listState();
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("svirt define refuses", () => {
  // test/xml reads all of these documents.
  test.each(sampleOf(files))("test/data/xml-bad/%s", async (file) => {
    expectRefusal(await run(["define", BAD + file]));
  });

  test.each(sampleOf(hostileDocuments))("$name", async ({ name, make }) => {
    const file = join(folder, `${name.replaceAll(/[^a-zA-Z0-9]+/g, "-")}.xml`);
    writeFileSync(file, make());
    expectRefusal(await run(["define", file]));
    rmSync(file);
  });

  test("/proc/self/exe", async () => {
    expectRefusal(await run(["define", "/proc/self/exe"]));
  });

  test.each(["/dev/zero", "/dev/null"])("%s, which is not even read", async (file) => {
    const { exitCode, stderr } = await run(["define", file]);
    expect([exitCode, stderr]).toEqual([
      2,
      `error: Cannot read ${file}: it is a device, not a regular file\nremedy: Pass it on standard input: - <${file}\n`,
    ]);
  });
});

describe.each([
  ["define", "-"],
  ["define", "/dev/stdin"],
  ["create", "-"],
  ["plan", "-"],
])("svirt %s %s refuses what comes on standard input:", (command, operand) => {
  test.each(["xxe-file.xml", "unknown-device.xml", "network-disk.xml"])("%s", async (file) => {
    expectRefusal(await run([command, operand], BAD + file));
  });

  test("50 MB that do not end", async () => {
    expectRefusal(await run([command, operand], "/dev/zero"));
  });
});

test("none of it changed anything on the disk", () => {
  expect(listState()).toEqual(before);
});

test("the same command takes a good document, so that a refusal says something", async () => {
  const good = new URL("../data/domain/disks.xml", import.meta.url).pathname;
  const { stdout } = await run(["domblklist", "--help"]);
  expect(stdout).toContain("domblklist");
  const { stderr } = await run(["plan", good]);
  expect(stderr).not.toMatch(PLACE);
});

function expectRefusal({ exitCode, stdout, stderr, cpuMs, rssBytes }: Outcome): void {
  const lines = stderr.trimEnd().split("\n");
  const errors = lines.filter((_, at) => at % 2 === 0);
  const remedies = lines.filter((_, at) => at % 2 === 1);
  expect(errors[0]).toMatch(PLACE);
  expect(errors.filter((line) => !PLACE.test(line) && !BESIDES.test(line))).toEqual([]);
  expect(remedies.filter((line) => !line.startsWith("remedy: "))).toEqual([]);
  expect(remedies).toHaveLength(errors.length);
  expect(errors.length).toBeLessThanOrEqual(MOST_ERRORS);
  expect(stderr).not.toMatch(/[^\P{Cc}\n]/u);
  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(rssBytes).toBeLessThan(MOST_RSS_BYTES);
  expect(cpuMs).toBeLessThan(MOST_MS);
}

function run(words: readonly string[], stdin?: string): Promise<Outcome> {
  return measure([SVIRT, ...words], stdin === undefined ? {} : { stdin });
}

/** Lists all files that svirt could have created or changed, with inode, mode, size and time. */
function listState(): readonly string[] {
  return Object.values(SYSTEM_PATHS).flatMap((root) => {
    const names =
      statSync(root, { throwIfNoEntry: false }) === undefined ? [] : readdirSync(root, { recursive: true });
    return [root, ...names.map((name) => join(root, String(name)))].flatMap((path) => {
      const stat = statSync(path, { throwIfNoEntry: false });
      return stat === undefined ? [] : [`${path} ${stat.ino} ${stat.mode} ${stat.size} ${stat.mtimeMs}`];
    });
  });
}
