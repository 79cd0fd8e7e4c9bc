import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { walkChain } from "../../src/images/chain.ts";
import { parseImageFormat } from "../../src/images/header.ts";
import { realReader } from "./real-reader.ts";

// Runs other programs, on a machine that may be busy.
setDefaultTimeout(60_000);

const qemuImg = Bun.which("qemu-img");
const testData = process.env["SVIRT_TEST_DATA"];
const needsData = testData === undefined ? " (skipped: SVIRT_TEST_DATA is not set)" : "";
const needsQemuImg = qemuImg === null ? " (skipped: qemu-img is missing, install qemu-utils)" : "";
const DATA = path.join(testData ?? "", "libvirt/virstoragetestdata");
const IMAGES = path.join(DATA, "images");

/** Images that libvirt follows and svirt refuses, with the reason. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ["directory-dir", "is a folder, not a file"],
  ["directory-none", "is a folder, not a file"],
  ["directory-raw", "is a folder, not a file"],
  ["qcow2-protocol-backing-nbd", `the protocol "nbd+tcp" is not supported`],
  ["qcow2-qcow2_nbd-raw", `the protocol "nbd+tcp" is not supported`],
  // Top and base keep their data in one file. libvirt ignores the top's; QEMU would write and read one file.
  ["qcow2datafile-qcow2_qcow2-datafile", "images/raw occurs twice in its chain"],
]);

/** Images that libvirt refuses too: no chain is recorded. */
const WITHOUT_CHAIN: readonly (readonly [image: string, why: string])[] = [
  ["loop-1.qcow2", "occurs twice in its chain"],
  ["loop-2.qcow2", "occurs twice in its chain"],
  ["loop-self.qcow2", "occurs twice in its chain"],
  ["qcow2_qcow2-missing.qcow2", "images/bogus does not exist"],
  ["qcow2_qcow2-auto_qcow2-auto.qcow2", "does not record the format"],
  ["datafile-emptystr.qcow2", "it has external data but names no data file"],
  // Links in libvirt's own tree. Here they are files whose relative names lead nowhere.
  ["qcow2_raw-raw-reldir.qcow2", "does not exist"],
  ["qcow2_qcow2-qcow2-symlink_raw-raw-reldir.qcow2", "does not exist"],
];

interface Expected {
  readonly path: string;
  readonly format: string;
  readonly role: string;
}

describe.skipIf(testData === undefined)(`walkChain() of libvirt's own test images${needsData}`, () => {
  const folder = mkdtempSync(path.join(tmpdir(), "svirt-storage-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const recorded = testData === undefined ? [] : readdirSync(`${DATA}/out`).sort();
  const isMade = (name: string): boolean => readOut(name, folder)[0]?.path.startsWith(folder) === true;

  test.each(recorded.filter((name) => !REFUSED.has(name) && !isMade(name)))(
    "finds in %s what libvirt recorded",
    (name) => {
      const expected = readOut(name, folder);
      expect(chainOf(expected[0])).toEqual(expected);
    },
  );

  test.skipIf(qemuImg === null).each(recorded.filter(isMade))(
    `finds in %s, made by qemu-img as libvirt's test makes it, what libvirt recorded${needsQemuImg}`,
    (name) => {
      makeImages(folder);
      const expected = readOut(name, folder);
      expect(chainOf(expected[0])).toEqual(expected);
    },
  );

  test.each([...REFUSED].filter(([name]) => recorded.includes(name)))("refuses %s: %s", (name, why) => {
    const [top] = readOut(name, folder);
    const format = top?.format === "dir" ? "raw" : (top?.format ?? "");
    expect(() => chainOf({ path: top?.path ?? "", format })).toThrow(why);
  });

  test.each(WITHOUT_CHAIN)("refuses %s: %s", (image, why) => {
    expect(() => chainOf({ path: `${IMAGES}/${image}`, format: "qcow2" })).toThrow(why);
  });

  test("asks of every image", () => {
    const asked = new Set([
      ...recorded.flatMap((name) => readOut(name, folder).map((each) => path.normalize(each.path))),
      ...WITHOUT_CHAIN.map(([image]) => `${IMAGES}/${image}`),
    ]);
    const images = readdirSync(IMAGES, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => `${entry.parentPath}/${entry.name}`);
    expect(images.length).toBeGreaterThan(20);
    expect(images.filter((image) => !asked.has(image))).toEqual([]);
  });
});

function chainOf(top: Pick<Expected, "path" | "format"> | undefined): Expected[] {
  const options = { path: top?.path ?? "", format: parseImageFormat(top?.format ?? ""), readOnly: false };
  return walkChain(options, realReader).map(({ format, path: file, role }) => ({ path: file, format, role }));
}

/**
 * Parses a recorded chain: a block of "name:value" lines for each image, followed by one for its data file.
 */
function readOut(name: string, folder: string): Expected[] {
  const text = readFileSync(`${DATA}/out/${name}`, "utf8")
    .replaceAll("ABS_SRCDIR/virstoragetestdata", DATA)
    .replaceAll("ABS_BUILDDIR/virstoragedata", folder);
  const blocks = text.split("\n\n").filter((block) => /^path: ?/m.test(block));
  return blocks.map((block, at) => {
    const value = (key: string): string => new RegExp(`^${key}: ?(.*)$`, "m").exec(block)?.[1] ?? "";
    const below = block.includes("dataFileStoreSource") ? "data-file" : "backing";
    return { path: value("path"), format: value("format"), role: at === 0 ? "top" : below };
  });
}

/** Creates raw, qcow2 on it and wrap on that, by absolute names. libvirt tests/virstoragetest.c */
function makeImages(folder: string): void {
  const make = (...words: readonly string[]): void => {
    const made = Bun.spawnSync([qemuImg ?? "", "create", "-q", ...words], { cwd: folder });
    if (!made.success) throw new Error(made.stderr.toString());
  };
  make("-f", "raw", "raw", "1024");
  make("-f", "qcow2", "-b", `${folder}/raw`, "-F", "raw", "qcow2");
  make("-f", "qcow2", "-b", `${folder}/qcow2`, "-F", "qcow2", "wrap");
}
