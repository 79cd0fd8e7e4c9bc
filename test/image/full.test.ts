import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { bootOf } from "./boots.ts";
import { bootMachine, FULL_IMAGE, type Machine } from "./machine.ts";
import { expectPowerOff, expectTwoGuests } from "./two-guests.ts";

const whereBuilt = existsSync(`${FULL_IMAGE}/initrd`) ? describe : describe.skip;

/**
 * The full set of hardware, in a machine that the lean set does not support. Its card and host adapter are
 * VMware's, and its data are on XFS.
 */
whereBuilt("the product's image with the full set of hardware", () => {
  const folder = mkdtempSync(`${tmpdir()}/svirt-full-`);
  let machine: Machine;
  beforeAll(async () => {
    makeXfs(`${folder}/data.img`);
    const card = ["-device", "vmxnet3,netdev=net0,romfile="];
    const disk = ["-drive", `if=none,id=data,format=raw,file=${folder}/data.img`];
    const adapter = ["-device", "pvscsi", "-device", "scsi-hd,drive=data"];
    const devices = [...card, ...disk, ...adapter];
    machine = await bootMachine(bootOf(FULL_IMAGE, ({ admin }) => `svirt.key=${admin}`, devices));
  }, 600_000);
  afterAll(async () => {
    await machine.stop();
    rmSync(folder, { recursive: true });
  });

  test("answers over a card and keeps its data on an adapter that only it has modules for", async () => {
    // busybox's readlink takes one file.
    const drivers =
      "readlink /sys/class/net/eth0/device/driver; readlink /sys/block/sda/device/../../../driver";
    expect((await machine.run(drivers)).replaceAll(/^.*\//gm, "")).toBe("vmxnet3\nvmw_pvscsi\n");
    expect(await machine.run("grep ' /srv ' /proc/mounts")).toStartWith(
      "/dev/sda /srv xfs rw,seclabel,nosuid,nodev,noexec",
    );
    const label = "getfattr --only-values -n security.selinux /srv/images";
    expect((await machine.run(label)).replace("\0", "")).toBe("system_u:object_r:virt_image_t:s0");
  });

  test("runs two guests in levels of their own, and denies nothing that it does by itself", async () => {
    await expectTwoGuests(machine, "kvm");
  });

  test("powers off cleanly, guests first", async () => {
    await expectPowerOff(machine);
  });
});

function makeXfs(path: string): void {
  const script = 'truncate -s 300M "$1" && mkfs.xfs -q -L svirt-data "$1"';
  const made = Bun.spawnSync(["sh", "-c", script, "sh", path]);
  if (made.exitCode !== 0) throw new Error(`Cannot make a disk: ${made.stderr.toString()}`);
}
