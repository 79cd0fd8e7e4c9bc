import { describe, expect, test } from "bun:test";
import { closeSync, mkdirSync, openSync, readdirSync, writeSync } from "node:fs";
import { registryOf } from "../../src/state/instance.ts";
import { destroyDomain } from "../../src/vm/end/destroy.ts";
import { shutdownGuest } from "../../src/vm/lifecycle/power-off.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import { ALL_KINDS, domainXml, makeMachine, nodeOn, reapAll, sweepAll, UUID } from "../scenes/scene.ts";
import { MISSING, RealFolder } from "./folder.ts";
import { RealMachine } from "./machine.ts";
import { asideOf, nameMissing } from "./missing-programs.ts";

const STATE = "/var/lib/svirt";
/** Sizes in bytes of the writes that fill a disk, down to the last gap. */
const CHUNKS = [65_536, 4096, 512, 1];

/** A small separate file system, as /var/lib/svirt may be one. */
class SmallDisk {
  readonly path: string;

  constructor(folder: RealFolder, type: string, at = STATE) {
    this.path = `${folder.path}${at}`;
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    const image = folder.file("image");
    if (type === "tmpfs") {
      this.#run("mount", "-t", type, "-o", "size=1m,nr_inodes=300", "none", this.path);
    } else {
      this.#run("truncate", "-s", "4M", image);
      this.#run("mke2fs", "-q", "-t", type, "-m", "0", "-N", "300", image);
      this.#run("mount", "-o", "loop", image, this.path);
    }
  }

  /** Writes until no block is free. */
  fillBlocks(): void {
    const fd = openSync(`${this.path}/filling`, "w");
    for (const size of CHUNKS) untilFull(() => void writeSync(fd, new Uint8Array(size)));
    closeSync(fd);
  }

  /** Creates files until no inode is free. */
  fillInodes(): void {
    let made = 0;
    untilFull(() => {
      closeSync(openSync(`${this.path}/filling-${made}`, "wx"));
      made += 1;
    });
  }

  #run(...words: readonly string[]): void {
    const { exitCode, stderr } = Bun.spawnSync([...words]);
    expect([words.join(" "), exitCode, stderr.toString()]).toEqual([words.join(" "), 0, ""]);
  }

  [Symbol.dispose](): void {
    this.#run("umount", this.path);
  }
}

function untilFull(act: () => void): void {
  for (;;) {
    try {
      act();
    } catch (error) {
      expect(error).toMatchObject({ code: "ENOSPC" });
      return;
    }
  }
}

/** Returns all attributes of the images but the format, which stays. */
function attributesIn(folder: string): string[] {
  return readdirSync(folder).map((name) => {
    const words = ["getfattr", "-d", "-m", "^(security|trusted)", "--absolute-names", `${folder}/${name}`];
    const text = Bun.spawnSync(words).stdout.toString();
    return text.replace(/^trusted\.svirt\.format=.*\n/m, "");
  });
}

type Ending = (machine: RealMachine) => Promise<unknown>;

const ENDINGS: readonly (readonly [string, Ending])[] = [
  ["destroy", (machine) => destroyDomain(nodeOn(machine), "vm1")],
  [
    "reap",
    (machine) => {
      machine.processes.end(machine.processes.qemuOf(UUID)?.pid ?? 0, 0);
      return reapAll(machine);
    },
  ],
  [
    "shutdown",
    async (machine) => {
      await shutdownGuest(nodeOn(machine), "vm1");
      await reapAll(machine);
    },
  ],
  [
    "recover",
    (machine) => {
      machine.reboot();
      return sweepAll(machine);
    },
  ],
];

const CASES = ["tmpfs", "ext4"].flatMap((type) =>
  (["block", "inode"] as const).flatMap((what) =>
    ENDINGS.map(([name, end]) => [`${type} with no ${what} left`, name, { end, type, what }] as const),
  ),
);

const lack = MISSING ?? nameMissing("mke2fs", "getfattr");

describe.skipIf(lack !== undefined)(`with ${STATE} full${asideOf(lack)}`, () => {
  test.each(CASES)("of %s, %s clears a guest away", async (_, __, { end, type, what }) => {
    using folder = new RealFolder();
    using disk = new SmallDisk(folder, type);
    const machine = new RealMachine(folder.path, [STATE]);
    makeMachine(machine);
    await startDomain(nodeOn(machine), domainXml({ disks: ALL_KINDS }));
    expect(readdirSync(`${disk.path}/records`)).toEqual([`${UUID}.json`]);
    if (what === "block") disk.fillBlocks();
    else disk.fillInodes();
    await end(machine);
    expect(machine.processes.qemuOf(UUID)).toBeUndefined();
    expect(readdirSync(`${disk.path}/records`)).toEqual([]);
    expect(registryOf(nodeOn(machine)).listAll()).toEqual([]);
    expect(machine.violations).toEqual([]);
  });

  test.each(ENDINGS)(
    "and the guest's images on the same ext4, %s gives all of them their labels back",
    async (_, end) => {
      using folder = new RealFolder();
      using disk = new SmallDisk(folder, "ext4", "/var/lib");
      const machine = new RealMachine(folder.path, ["/var/lib"]);
      makeMachine(machine);
      const images = `${disk.path}/images`;
      const before = attributesIn(images);
      expect(before[0]).toContain("security.selinux");
      await startDomain(nodeOn(machine), domainXml({ disks: ALL_KINDS }));
      disk.fillBlocks();
      await end(machine);
      expect(readdirSync(`${disk.path}/svirt/records`)).toEqual([]);
      expect(attributesIn(images)).toEqual(before);
    },
  );
});
