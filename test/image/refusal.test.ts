import { describe, expect, test } from "bun:test";
import { appendFileSync, copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { directBoot } from "./boots.ts";
import { bootMachine, IMAGE, type Keys, type MakeBoot, startMachine } from "./machine.ts";

const whereBuilt = existsSync(`${IMAGE}/initrd`) ? describe : describe.skip;

whereBuilt("the product's image, when it cannot be trusted,", () => {
  test("tells of enforcing=0 wherever one looks", async () => {
    const machine = await bootMachine(directBoot(({ admin }) => `svirt.key=${admin} enforcing=0`));
    try {
      const why =
        "permissive, as set by enforcing=0 on the kernel's command line: guests are labelled, but nothing is enforced";
      expect(await machine.console()).toContain("svirt-node: WARNING: SELinux does not enforce");
      expect(await machine.ask("svirt list --name")).toEqual({
        code: 0,
        out: "",
        err: `warning: SELinux is ${why}\n`,
      });
      const doctor = await machine.ask("svirt doctor");
      expect([doctor.code, doctor.out]).toEqual([1, expect.stringContaining(why)]);
      expect((await machine.ask("svirt audit")).out).toContain(
        "SELinux is permissive: guests are not confined",
      );
    } finally {
      await machine.stop();
    }
  }, 600_000);

  test("does not come up with one file that has no label", async () => {
    const machine = await startMachine(bootWithUnlabelled);
    try {
      expect(await machine.ended()).toBe(0);
      expect(await machine.console()).toMatch(/REFUSING TO BOOT: \d+ files of the root have no label/);
    } finally {
      await machine.stop();
    }
  }, 600_000);
});

/**
 * Replaces the root by a copy with one more file, without a label: a later archive's file replaces an earlier
 * one's.
 */
function bootWithUnlabelled(keys: Keys, folder: string): ReturnType<MakeBoot> {
  const initrd = readFileSync(`${IMAGE}/initrd`);
  writeFileSync(`${folder}/root.squashfs`, findRoot(initrd));
  writeFileSync(`${folder}/unlabelled`, "");
  runIn(folder, "mksquashfs unlabelled root.squashfs -no-xattrs -no-progress -quiet >/dev/null");
  runIn(folder, "echo root.squashfs | cpio -o -H newc --quiet >second.cpio");
  copyFileSync(`${IMAGE}/initrd`, `${folder}/initrd`);
  appendFileSync(`${folder}/initrd`, readFileSync(`${folder}/second.cpio`));
  const boot = directBoot(({ admin }) => `svirt.key=${admin}`)(keys, folder);
  const words = boot.words.map((word) => (word === `${IMAGE}/initrd` ? `${folder}/initrd` : word));
  return { ...boot, words };
}

/**
 * Returns the bytes of root.squashfs in its archive: header, name, content, each at a multiple of four.
 * cpio(5), "newc"
 */
function findRoot(initrd: Buffer): Buffer {
  const [headerBytes, sizeAt] = [110, 54];
  const name = "root.squashfs\0";
  const header = initrd.indexOf(name) - headerBytes;
  const size = Number.parseInt(initrd.toString("latin1", header + sizeAt, header + sizeAt + 8), 16);
  const begin = header + 4 * Math.ceil((headerBytes + name.length) / 4);
  return initrd.subarray(begin, begin + size);
}

function runIn(folder: string, script: string): void {
  const made = Bun.spawnSync(["sh", "-c", `cd "$1" && ${script}`, "sh", folder]);
  if (made.exitCode !== 0) throw new Error(`Cannot make an initrd: ${made.stderr.toString()}`);
}
