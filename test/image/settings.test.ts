import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { directBoot } from "./boots.ts";
import { guestXml, withXml } from "./guest-xml.ts";
import { bootMachine, IMAGE, type Machine } from "./machine.ts";

const whereBuilt = existsSync(`${IMAGE}/initrd`) ? describe : describe.skip;
const KEPT = "/srv/images/kept.img";
const DISK = `<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='${KEPT}'/>
  <target dev='vda' bus='virtio'/></disk>`;

/** A disk for settings, an empty one for data, and three boots of one node, each ended by a power failure. */
whereBuilt("the product's image, with disks of its own", () => {
  const folder = mkdtempSync(`${tmpdir()}/svirt-disks-`);
  let machine: Machine;
  let hostKey: string;

  const boot = async (devices: readonly string[]): Promise<void> => {
    machine = await bootMachine(directBoot(({ admin }) => `svirt.key=${admin}`, devices));
  };
  const virtio = (name: string) => ["-drive", `if=virtio,format=raw,file=${folder}/${name}`];
  const usb = (name: string) => [
    ...["-device", "qemu-xhci", "-drive", `if=none,id=usb,format=raw,file=${folder}/${name}`],
    ...["-device", "usb-storage,drive=usb"],
  ];
  const readHostKey = async (): Promise<string> =>
    await machine.run("dropbearkey -y -f /etc/dropbear/host | grep Fingerprint");
  const labelOf = async (path: string): Promise<string> =>
    (await machine.run(`getfattr --only-values -n security.selinux ${path}`)).replace("\0", "");

  beforeAll(async () => {
    mkdirSync(`${folder}/config/domains`, { recursive: true });
    writeFileSync(`${folder}/config/hostname`, "from-config\n");
    writeFileSync(`${folder}/config/domains/given.xml`, guestXml("given", "qemu"));
    makeDisk(`${folder}/config.img`, ["-L", "svirt-config", "-d", `${folder}/config`]);
    makeDisk(`${folder}/data.img`, ["-L", "svirt-data"]);
    await boot(virtio("config.img"));
  }, 600_000);
  afterAll(async () => {
    await machine.stop();
    rmSync(folder, { recursive: true });
  });

  test("takes its name and definitions from the disk for settings", async () => {
    expect(await machine.run("hostname; svirt list --all --name")).toBe("from-config\ngiven\n");
    hostKey = await readHostKey();
    expect(hostKey).toStartWith("Fingerprint: SHA256:");
    expect(await machine.run("dmesg | grep 'avc:  denied' || true")).toBe("");
  });

  test("keeps its host key there, and makes an empty data disk its own", async () => {
    await machine.stop();
    await boot([...virtio("config.img"), ...virtio("data.img")]);
    expect(await readHostKey()).toBe(hostKey);
    expect(await labelOf("/srv/images")).toBe("system_u:object_r:virt_image_t:s0");
    await machine.run(`truncate -s 1M ${KEPT}; sync`);
    await machine.run(withXml("svirt define -", guestXml("kept", "qemu", DISK)));
    await machine.run("svirt autostart kept; svirt start kept; sync");
    expect(await labelOf(KEPT)).toMatch(/^system_u:object_r:svirt_image_t:s0:c\d+,c\d+$/);
    expect(await machine.run("dmesg | grep 'avc:  denied' || true")).toBe("");
  }, 600_000);

  test("after a power failure, its data on a USB stick now, puts back labels, starts what is marked for it, and is the same host", async () => {
    await machine.stop();
    await boot(usb("data.img"));
    expect(await machine.run("grep -c '^/dev/sda /srv ext4 ' /proc/mounts")).toBe("1\n");
    expect(await readHostKey()).toBe(hostKey);
    expect(await machine.run("svirt domstate kept; svirt list --all --name | sort")).toBe(
      "running\n\ngiven\nkept\n",
    );
    expect(await machine.run("svirt audit")).toContain("No findings.");
    await machine.run("svirt destroy kept");
    expect(await labelOf(KEPT)).toBe("system_u:object_r:virt_image_t:s0");
    expect(await machine.run("dmesg | grep 'avc:  denied' || true")).toBe("");
  }, 600_000);
});

function makeDisk(path: string, words: readonly string[]): void {
  const made = Bun.spawnSync(["mke2fs", "-q", "-t", "ext4", ...words, path, "64M"]);
  if (made.exitCode !== 0) throw new Error(`Cannot make a disk: ${made.stderr.toString()}`);
}
