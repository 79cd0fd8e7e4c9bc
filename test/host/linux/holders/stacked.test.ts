import { describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { makeLinuxHost } from "../../../../src/host/linux/linux-host.ts";
import { fileKey } from "../../../../src/plan/facts/file-key.ts";
import { RealFolder } from "../../../real-host/folder.ts";
import { asideOf, nameMissing } from "../../../real-host/missing-programs.ts";
import { startHolder } from "./start-holder.ts";

const missing = process.getuid?.() === 0 ? nameMissing("mount", "umount") : "root is needed";
const aside = asideOf(missing);
const DISK = "/var/tmp";
const MEMORY = "/dev/shm";

/** Parents of the folders of an overlay, and further mount options. */
interface Stack {
  readonly lower: string;
  readonly upper: string;
  readonly options: string;
}

/** An overlay of two folders. Files are put into the lower one before it is mounted. */
class Overlay implements Disposable {
  readonly lower: string;
  readonly merged = mkdtempSync("/var/tmp/svirt-merged-");
  readonly #upper: string;
  readonly #options: string;

  constructor({ lower, options, upper }: Stack) {
    this.lower = mkdtempSync(`${lower}/svirt-lower-`);
    this.#upper = mkdtempSync(`${upper}/svirt-upper-`);
    this.#options = options;
    for (const name of ["files", "work"]) mkdirSync(`${this.#upper}/${name}`);
  }

  mount(): void {
    const upper = `upperdir=${this.#upper}/files,workdir=${this.#upper}/work`;
    const options = `lowerdir=${this.lower},${upper}${this.#options}`;
    run("mount", "-t", "overlay", "overlay", "-o", options, this.merged);
  }

  [Symbol.dispose](): void {
    Bun.spawnSync(["umount", this.merged]);
    for (const path of [this.lower, this.#upper, this.merged]) rmSync(path, { recursive: true, force: true });
  }
}

function run(...words: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync([...words]);
  if (exitCode !== 0) throw new Error(`${words.join(" ")}: ${stderr.toString()}`);
}

/** Returns the results of both calls for a file that a process holds in that way. */
async function look(path: string, how: string): Promise<unknown> {
  const host = makeLinuxHost();
  const child = await startHolder(how, path);
  try {
    const facts = host.inspectFile(path);
    if (facts === undefined) throw new Error(`${path} is missing`);
    const things = [{ key: fileKey(facts.id), path }];
    const found = host.findHoldings(things, [child.pid], { isComplete: true });
    return { opened: host.listOpened(things).length, by: found.map(({ by }) => by) };
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
}

const MAPPED = { opened: 1, by: ["a mapping"] };
const WAYS = ["mapping", "private mapping", "mapping to read", "sleeping mapping"];
const ON_ONE_DISK: Stack = { lower: DISK, upper: DISK, options: "" };
const STACKS: readonly (readonly [string, Stack])[] = [
  ["on one disk", ON_ONE_DISK],
  ["of two file systems", { lower: DISK, upper: MEMORY, options: "" }],
  ["of two file systems that keep their numbers", { lower: DISK, upper: MEMORY, options: ",xino=off" }],
];

describe.skipIf(missing !== undefined)(`on an overlay, where a lease proves nothing${aside}`, () => {
  describe.each(STACKS)("%s", (_, stack) => {
    test.each(WAYS)("a %s of a file is found", async (how) => {
      using overlay = new Overlay(stack);
      overlay.mount();
      const path = `${overlay.merged}/upper`;
      writeFileSync(path, "x");
      expect(await look(path, how)).toEqual(MAPPED);
    });

    test.each(WAYS)("a %s of a file from below is found, before and after it is copied up", async (how) => {
      using overlay = new Overlay(stack);
      writeFileSync(`${overlay.lower}/below`, "x");
      overlay.mount();
      const path = `${overlay.merged}/below`;
      expect(await look(path, how)).toEqual(MAPPED);
      writeFileSync(path, "y");
      expect(await look(path, how)).toEqual(MAPPED);
    });
  });

  test("nothing is found of a process that has closed the file, though no lease says so", async () => {
    using overlay = new Overlay(ON_ONE_DISK);
    overlay.mount();
    const path = `${overlay.merged}/upper`;
    writeFileSync(path, "x");
    expect(await look(path, "nothing")).toEqual({ opened: 1, by: [] });
  });
});

describe.skipIf(missing !== undefined)(`on a tmpfs, whose pages a ring can keep${aside}`, () => {
  test.each([
    ["mapping", /^a mapping$/],
    ["buffer", /^files or buffers of the io_uring \d+$/],
  ])("a %s is found, which for a buffer no lease tells", async (how, by) => {
    using folder = new RealFolder(MEMORY);
    expect(await look(folder.file("held", "x".repeat(4096)), how)).toEqual({
      opened: 1,
      by: [expect.stringMatching(by)],
    });
  });
});
