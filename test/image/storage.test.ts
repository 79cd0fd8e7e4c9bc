import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { directBoot } from "./boots.ts";
import { guestXml, withXml } from "./guest-xml.ts";
import { bootMachine, IMAGE, type Machine, until } from "./machine.ts";
import { type IscsiTarget, serveIscsi } from "./servers/iscsi.ts";
import { type NfsServer, serveNfs } from "./servers/nfs.ts";

const whereBuilt = existsSync(`${IMAGE}/initrd`) ? describe : describe.skip;
const LEVEL = "s0:c10,c20";
const MOUNTED_AS = `system_u:object_r:svirt_image_t:${LEVEL}`;
const OWN_LABEL = `<seclabel type='static' model='selinux' relabel='yes'><label>system_u:system_r:svirt_t:${LEVEL}</label></seclabel>`;
const DISK = `<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/srv/nfs/disk.img'/>
  <target dev='vda' bus='virtio'/></disk>`;

/**
 * User that the target admits. The node gets it by its firmware configuration, as from an operator's config
 * disk.
 */
const LOGIN = { user: "node", password: "twelve-letters" };
const SETTINGS = `node.session.auth.authmethod = CHAP
node.session.auth.username = ${LOGIN.user}
node.session.auth.password = ${LOGIN.password}
`;

/** Disks on another computer, whose server is a process outside the machine. */
whereBuilt("the product's image, with disks on a network", () => {
  const exported = mkdtempSync("/var/tmp/svirt-export-");
  let machine: Machine;
  let nfs: NfsServer;
  const mountNfs = async (options: string): Promise<void> => {
    const where = `vers=4.2,port=${nfs.port},addr=10.0.2.2,clientaddr=10.0.2.15`;
    await machine.run(
      `modprobe nfsv4; mkdir -p /srv/nfs; mount -t nfs4 -o '${where}${options}' 10.0.2.2:/ /srv/nfs`,
    );
  };

  beforeAll(async () => {
    writeFileSync(`${exported}/disk.img`, "");
    truncateSync(`${exported}/disk.img`, 1024 * 1024);
    nfs = await serveNfs(exported);
    machine = await bootMachine(directBoot(({ admin }) => `svirt.key=${admin}`));
  }, 600_000);
  afterAll(async () => {
    await machine.stop();
    await nfs.stop();
    rmSync(exported, { recursive: true });
  });

  test("starts the guest whose label an NFS mount has, which writes what the server keeps", async () => {
    await mountNfs(`,context="${MOUNTED_AS}"`);
    const xml = guestXml("mine", "kvm", DISK).replace("</domain>", `${OWN_LABEL}</domain>`);
    await machine.run(withXml("svirt define -", xml));
    await machine.run("svirt start mine");
    expect(await machine.run("svirt audit")).toContain("No findings.");
    await writeAsGuest(machine, "mine");
    await machine.run("svirt destroy mine");
    const sectors = readFileSync(`${exported}/disk.img`);
    expect([...new Set(sectors.subarray(512, 1024))]).toEqual([0x5e]);
    expect([...new Set(sectors.subarray(0, 512))]).toEqual([0]);
  });

  test("refuses the mount to any other guest, and any guest a mount without a label", async () => {
    await machine.run(withXml("svirt define -", guestXml("other", "kvm", DISK)));
    const others = await machine.ask("svirt start other");
    expect([others.code, others.err]).toEqual([
      5,
      expect.stringContaining("its file system stores no labels"),
    ]);
    await machine.run("umount /srv/nfs");
    await mountNfs("");
    const plain = await machine.ask("svirt start mine");
    expect([plain.code, plain.err]).toEqual([5, expect.stringContaining("system_u:object_r:nfs_t:s0")]);
    await machine.run("umount /srv/nfs");
  });

  test("denies nothing of this", async () => {
    expect(await machine.run("dmesg | grep 'avc:  denied' || true")).toBe("");
  });
});

whereBuilt("the product's image, with an iSCSI target", () => {
  const folder = mkdtempSync("/var/tmp/svirt-iscsi-");
  let machine: Machine;
  let target: IscsiTarget;
  const labelOf = async (path: string): Promise<string> =>
    (await machine.run(`getfattr --only-values -n security.selinux ${path}`)).replace("\0", "");

  /** Waits until the node has handled a disk that has come: it labels it. */
  const untilLabelled = async (path: string): Promise<void> =>
    await until(async () => {
      const { out } = await machine.ask(`getfattr --only-values -n security.selinux ${path}`);
      return out.includes(":fixed_disk_device_t:");
    });

  beforeAll(async () => {
    writeFileSync(`${folder}/disk.img`, "");
    truncateSync(`${folder}/disk.img`, 8 * 1024 * 1024);
    writeFileSync(`${folder}/iscsid.conf`, SETTINGS);
    target = await serveIscsi(`${folder}/disk.img`, LOGIN);
    const told = ["-fw_cfg", `name=opt/org.svirt/iscsid.conf,file=${folder}/iscsid.conf`];
    const words = `svirt.iscsi=${target.address} svirt.initiator=iqn.2026-11.test:node`;
    machine = await bootMachine(directBoot(({ admin }) => `svirt.key=${admin} ${words}`, told));
  }, 600_000);
  afterAll(async () => {
    await machine.stop();
    await target.stop();
    rmSync(folder, { recursive: true });
  });

  test("logs in with its password at boot, by iscsid in its own domain, and the disk has its label", async () => {
    expect(await machine.run("iscsiadm -m session")).toContain(target.name);
    expect(await machine.run("iscsiadm -m session -P 1")).toContain(
      "Iface Initiatorname: iqn.2026-11.test:node",
    );
    expect(await machine.run("cat /proc/$(pidof iscsid | cut -d ' ' -f 1)/attr/current")).toContain(
      ":iscsid_t:",
    );
    expect(await labelOf("/dev/sda")).toBe("system_u:object_r:fixed_disk_device_t:s0");
  });

  test("gives the disk to a guest, which writes what the target keeps", async () => {
    const disk = `<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='/dev/sda'/>
      <target dev='vda' bus='virtio'/></disk>`;
    await machine.run(withXml("svirt define -", guestXml("one", "kvm", disk)));
    await machine.run("svirt start one");
    expect(await labelOf("/dev/sda")).toMatch(/^system_u:object_r:svirt_image_t:s0:c\d+,c\d+$/);
    expect(await machine.run("svirt audit")).toContain("No findings.");
    await writeAsGuest(machine, "one");
    await machine.run("svirt destroy one");
    expect(await labelOf("/dev/sda")).toBe("system_u:object_r:fixed_disk_device_t:s0");
    const sectors = readFileSync(`${folder}/disk.img`);
    expect([...new Set(sectors.subarray(512, 1024))]).toEqual([0x5e]);
  });

  test("is refused with another password", async () => {
    await machine.run(`iscsiadm -m node -T ${target.name} --logout`);
    const node = `iscsiadm -m node -T ${target.name}`;
    await machine.run(`${node} -o update -n node.session.auth.password -v another-password`);
    const refused = await machine.ask(`${node} --login`);
    expect([refused.code, refused.err]).toEqual([24, expect.stringContaining("authorization failure")]);
    expect((await machine.ask("iscsiadm -m session")).err).toContain("No active sessions");
  });

  test("labels a disk that comes after the boot", async () => {
    const node = `iscsiadm -m node -T ${target.name}`;
    await machine.run(`${node} -o update -n node.session.auth.password -v ${LOGIN.password}`);
    await machine.run(`${node} --login`);
    await untilLabelled("/dev/sda");
    expect(await labelOf("/dev/sda")).toBe("system_u:object_r:fixed_disk_device_t:s0");
  });

  test("gives the disk to a guest as a volume of a pool, whose start logs in and whose end logs out", async () => {
    const source = `--source-host ${target.address} --source-dev ${target.name} --target /dev`;
    await machine.run(`svirt pool-define-as san iscsi ${source}`);
    await machine.run("svirt pool-start san");
    await machine.run("svirt pool-destroy san");
    expect((await machine.ask("iscsiadm -m session")).err).toContain("No active sessions");
    await machine.run("svirt pool-start san");
    expect(await machine.run("iscsiadm -m session")).toContain(target.name);
    await untilLabelled("/dev/sda");
    const listed = await machine.run("svirt vol-list san");
    const [volume = ""] = /unit:\d+:\d+:\d+/.exec(listed) ?? [];
    const disk = `<disk type='volume' device='disk'><driver name='qemu' type='raw'/><source pool='san' volume='${volume}' mode='host'/>
      <target dev='vda' bus='virtio'/></disk>`;
    await machine.run(withXml("svirt define -", guestXml("two", "kvm", disk)));
    await machine.run("svirt start two");
    expect(await labelOf("/dev/sda")).toMatch(/^system_u:object_r:svirt_image_t:s0:c\d+,c\d+$/);
    const held = await machine.ask("svirt pool-destroy san");
    expect([held.code, held.err]).toEqual([5, expect.stringContaining("the guest two uses")]);
    await machine.run("svirt destroy two");
    await machine.run("svirt pool-destroy san");
  });

  test("denies nothing of this", async () => {
    expect(await machine.run("dmesg | grep 'avc:  denied' || true")).toBe("");
  });
});

/**
 * Writes a sector of 0x5e by the guest's QEMU, as its disk's device does. QEMU's answer is in the guest's
 * log.
 */
async function writeAsGuest(machine: Machine, name: string): Promise<void> {
  const write = `qemu-io -d /machine/peripheral/virtio-disk0/virtio-backend "write -P 0x5e 512 512"`;
  await machine.run(`svirt qemu-monitor-command ${name} --hmp '${write}'`);
  const readLog = async (): Promise<string> => await machine.run(`tail -n 3 /var/log/svirt/${name}.log`);
  // Another process writes the log.
  await until(async () => (await readLog()).includes("wrote "));
  expect(await readLog()).toContain("wrote 512/512 bytes");
}
