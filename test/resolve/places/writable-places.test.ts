import { describe, expect, test } from "bun:test";
import { planDomainStart, startDomain } from "../../../src/vm/start/start.ts";
import { runOn, type Said } from "../../cli/in-memory.ts";
import { qcow2Bytes } from "../../images/qcow2-bytes.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { commitOn, copyOn, takeOn } from "../../scenes/block.ts";
import {
  diskXml,
  domainXml,
  errorOf,
  failedStart,
  labelOf,
  makeMachine,
  nodeOn,
  ORIGINAL,
  putNode,
  putText,
} from "../../scenes/scene.ts";

const LABEL = "security.selinux";
const HOME = "unconfined_u:object_r:user_home_t:s0";
const XML = "/var/lib/images/vm1.xml";

/** Returns a machine with root's home, its .profile, and links that lead there. */
function withHome(machine = makeMachine()): Machine {
  const { files } = machine;
  files.putFolder("/root").xattrs.set(LABEL, "unconfined_u:object_r:user_home_dir_t:s0");
  putText(machine, "/root/.profile", "umask 022\n");
  files.get("/root/.profile").xattrs.set(LABEL, HOME);
  for (const [path, type] of [
    ["pipe.in", "fifo"],
    ["pipe.out", "fifo"],
    ["served.sock", "socket"],
  ] as const)
    files.put(`/root/${path}`, type).xattrs.set(LABEL, HOME);
  files.putFolder("/root/shared").xattrs.set(LABEL, HOME);
  files.put("/srv/to-home", "symlink", { target: "/root" });
  files.put("/srv/to-profile", "symlink", { target: "/root/.profile" });
  files.get("/srv").entries.set("hard", files.get("/root/.profile"));
  const far = qcow2Bytes({ backingFile: "/root/.profile", extensions: [[0xe2792aca, "raw"]] });
  files.put("/var/lib/images/far.qcow2", "file", { bytes: far }).xattrs.set(LABEL, ORIGINAL);
  return machine;
}

/** Elements that memory devices require. */
const ROOM =
  "<maxMemory slots='2' unit='MiB'>1024</maxMemory><cpu><numa><cell id='0' cpus='0' memory='65536'/></numa></cpu>";
const serial = (path: string): string => `<serial type='file'><source path='${path}'/></serial>`;

describe("what a guest would write in root's home is refused, and nothing is made:", () => {
  test.each([
    ["a serial port's file", serial("/root/.profile")],
    ["a file to be made", serial("/root/.bash_login")],
    ["by a symlink of its folder", serial("/srv/to-home/.profile")],
    ["a new one by a symlink of its folder", serial("/srv/to-home/.bash_login")],
    ["by a symlink", serial("/srv/to-profile")],
    ["by a hard link", serial("/srv/hard")],
    ["a log", "<serial type='pty'><log file='/root/.bash_login' append='on'/></serial>"],
    ["a disk", diskXml("/root/.profile", "vda")],
    ["a disk that guests share", diskXml("/root/.profile", "vda", "<shareable/>")],
    ["variables of UEFI", ""],
    ["a pipe", "<serial type='pipe'><source path='/root/pipe'/></serial>"],
    ["a socket to be made", "<serial type='unix'><source mode='bind' path='/root/a.sock'/></serial>"],
    [
      "a socket of another program",
      "<serial type='unix'><source mode='connect' path='/root/served.sock'/></serial>",
    ],
    [
      "a shared folder",
      "<filesystem type='mount' accessmode='mapped'><source dir='/root/shared'/><target dir='t'/></filesystem>",
    ],
    [
      "memory",
      "<memory model='nvdimm'><source><path>/root/.profile</path></source><target><size unit='MiB'>16</size><node>0</node></target></memory>",
    ],
  ])("%s", async (what, devices) => {
    const machine = withHome();
    const error = what.startsWith("variables")
      ? await failedNvram(machine)
      : await failedStart(machine, what === "memory" ? { devices, lifecycle: ROOM } : { devices });
    expect([what, error.kind, error.message]).toEqual([
      what,
      "denied",
      expect.stringMatching(/^Cannot let a guest write \/(?:root|srv\/hard)/),
    ]);
  });

  test("and a plan says so too", async () => {
    const machine = withHome();
    const before = snapshot(machine);
    const error = await errorOf(
      planDomainStart(nodeOn(machine), domainXml({ devices: serial("/root/.bash_login") })),
    );
    expect(error.kind).toBe("denied");
    expect(snapshot(machine)).toEqual(before);
  });
});

/** Returns the error of a start whose firmware variables would be made from a template in root's home. */
async function failedNvram(machine: Machine): Promise<ReturnType<typeof errorOf>> {
  putText(machine, "/usr/share/OVMF/CODE.fd", "code");
  putText(machine, "/usr/share/OVMF/VARS.fd", "vars");
  const os =
    "<os><type arch='x86_64' machine='q35'>hvm</type><loader readonly='yes' type='pflash'>/usr/share/OVMF/CODE.fd</loader>" +
    "<nvram template='/usr/share/OVMF/VARS.fd'>/root/.bash_login</nvram></os>";
  const text = new TextDecoder()
    .decode(domainXml())
    .replace(/<os>.*<\/os>/, `${os}<features><acpi/></features>`);
  const before = snapshot(machine);
  const error = await errorOf(startDomain(nodeOn(machine), new TextEncoder().encode(text)));
  expect(snapshot(machine)).toEqual(before);
  return error;
}

describe("what a guest only reads may lie there:", () => {
  test.each([
    ["a disk", diskXml("/root/.profile", "vda", "<readonly/>")],
    ["a backing file", diskXml("/var/lib/images/far.qcow2", "vda")],
  ])("%s", async (_, disks) => {
    const machine = withHome();
    await startDomain(nodeOn(machine), domainXml({ disks }));
    expect(labelOf(machine, "/root/.profile")).toContain("virt_content_t");
  });

  test("but not with a label that lets the guest write it", async () => {
    const label =
      "<source file='/root/.profile'><seclabel model='selinux' relabel='yes'><label>system_u:object_r:svirt_image_t:s0:c1,c2</label></seclabel></source>";
    const disks = diskXml("/root/.profile", "vda", "<readonly/>").replace(/<source [^>]*>/, label);
    expect((await failedStart(withHome(), { disks })).message).toContain("Cannot let a guest write /root");
  });
});

describe("a running guest is given nothing to write there", () => {
  const XML_OF_CHAIN = domainXml({ disks: diskXml("/var/lib/images/far.qcow2", "vda") });

  async function running(): Promise<Machine> {
    const machine = withHome();
    await startDomain(nodeOn(machine), XML_OF_CHAIN);
    return machine;
  }

  test.each([
    ["by a commit", (machine: Machine) => commitOn(nodeOn(machine))],
    ["by a copy", (machine: Machine) => copyOn(nodeOn(machine), { dest: "/root/.bash_login" })],
    [
      "by a snapshot",
      (machine: Machine) =>
        takeOn(nodeOn(machine), {
          disks: [{ name: "vda", snapshot: undefined, driver: undefined, file: "/root/.bash_login" }],
        }),
    ],
  ])("%s", async (_, work) => {
    const machine = await running();
    const before = snapshot(machine);
    expect(await errorOf(work(machine))).toMatchObject({
      kind: "denied",
      message: expect.stringContaining("Cannot let a guest write /root/"),
    });
    expect(snapshot(machine)).toEqual(before);
  });
});

describe("a block device is refused for writing while the host has it", () => {
  const block = (more = ""): string =>
    `<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='/dev/vdb'/><target dev='vda' bus='virtio'/>${more}</disk>`;

  test.each([
    ["mounted", "/proc/self/mountinfo", "22 1 254:16 / / rw shared:1 - ext4 /dev/root rw\n"],
    ["mounted by name", "/proc/self/mountinfo", "22 1 0:31 / / rw - btrfs /dev/vdb rw\n"],
    ["swap", "/proc/swaps", "Filename\tType\n/dev/vdb partition 1 0 -2\n"],
    ["a part", "/sys/dev/block/254:16/holders/dm-0", ""],
  ])("%s", async (_, path, text) => {
    const machine = makeMachine();
    putText(machine, path, text);
    expect(await failedStart(machine, { disks: block() })).toMatchObject({ kind: "wrong-state" });
    await startDomain(nodeOn(machine), domainXml({ disks: block("<readonly/>") }));
  });

  test("and while a partition of it is mounted", async () => {
    const machine = makeMachine();
    putText(machine, "/sys/dev/block/254:16/vdb1/partition", "1\n");
    putText(machine, "/sys/dev/block/254:16/vdb1/dev", "254:17\n");
    putText(machine, "/proc/self/mountinfo", "22 1 254:17 / /mnt rw - ext4 /dev/vdb1 rw\n");
    expect((await failedStart(machine, { disks: block() })).message).toContain("partition /dev/vdb1");
  });

  test("by its SCSI device's generic node as well", async () => {
    const machine = makeMachine();
    const folder = "/sys/bus/scsi/devices/2:0:0:0";
    putText(machine, `${folder}/scsi_generic/sg1/dev`, "21:1\n");
    putText(machine, `${folder}/block/sda/dev`, "8:0\n");
    putText(machine, "/sys/dev/block/8:0/sda1/partition", "1\n");
    putText(machine, "/sys/dev/block/8:0/sda1/dev", "8:1\n");
    putText(machine, "/proc/self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n");
    putNode(machine, "/dev/sg1", { node: "21:1", type: "scsi_generic_device_t" });
    const devices =
      "<controller type='scsi' model='virtio-scsi'/><hostdev mode='subsystem' type='scsi'><source><adapter name='scsi_host2'/>" +
      "<address bus='0' target='0' unit='0'/></source></hostdev>";
    expect(await failedStart(machine, { devices })).toMatchObject({
      kind: "wrong-state",
      message: expect.stringContaining("partition /dev/sda1"),
    });
    putText(machine, "/proc/self/mountinfo", "22 1 254:1 / / rw - ext4 /dev/vda1 rw\n");
    await startDomain(nodeOn(machine), domainXml({ devices }));
  });

  test("but not while another one is mounted", async () => {
    const machine = makeMachine();
    putText(machine, "/proc/self/mountinfo", "22 1 254:1 / / rw - ext4 /dev/vda1 rw\n");
    await startDomain(nodeOn(machine), domainXml({ disks: block() }));
  });
});

describe("svirt shell", () => {
  const VOLUME = "<volume><name>.bash_login</name><capacity unit='MiB'>1</capacity><target/></volume>";
  const ORDERS: readonly (readonly string[])[] = [
    ["save", "vm1", "/root/.bash_login"],
    ["save", "vm1", "/root/.profile"],
    ["dump", "vm1", "/srv/to-home/.bash_login"],
    ["screenshot", "vm1", "/srv/../root/.bash_login"],
    ["label", "set", "/root/.profile", "system_u:object_r:virt_image_t:s0"],
    ["label", "set", "/root", "system_u:object_r:virt_image_t:s0"],
    ["vol-create", "/root", "/var/lib/images/volume.xml"],
    ["attach-disk", "vm1", "/root/.profile", "vdb"],
  ];

  async function scene(): Promise<Machine> {
    const machine = withHome();
    putText(machine, XML, "");
    const devices = "<video><model type='vga'/></video>";
    machine.files.get(XML).bytes = domainXml({
      disks: diskXml("/var/lib/images/private1.raw", "vda"),
      devices,
    });
    putText(machine, "/var/lib/images/volume.xml", VOLUME);
    await runOn(machine, "create", XML);
    return machine;
  }

  async function asKey(machine: Machine, words: readonly string[]): Promise<Said> {
    putText(machine, "/proc/self/environ", `SSH_ORIGINAL_COMMAND=svirt ${words.join(" ")}\0`);
    return await runOn(machine, "shell");
  }

  test.each(ORDERS.map((words) => ({ words })))("refuses a key $words", async ({ words }) => {
    const machine = await scene();
    await asKey(machine, ["list"]);
    const before = snapshot(machine).filter((line) => !line.includes("/proc/"));
    const said = await asKey(machine, words);
    expect(said).toMatchObject({ code: 5, err: expect.stringContaining("Cannot let a guest write /root") });
    expect(snapshot(machine).filter((line) => !line.includes("/proc/"))).toEqual(before);
  });

  test.each([
    { words: ["dump", "vm1", "/root/vm1.core"] },
    { words: ["label", "set", "/root/shared", "system_u:object_r:virt_image_t:s0"] },
  ])("is not an administrator, who may $words", async ({ words }) => {
    expect(await runOn(await scene(), ...words)).toMatchObject({ code: 0, err: "" });
  });

  test("lets a key write where guests may", async () => {
    const machine = await scene();
    expect(await asKey(machine, ["dump", "vm1", "/srv/vm1.core"])).toMatchObject({ code: 0, err: "" });
    machine.files.get("/root/shared").xattrs.set(LABEL, "system_u:object_r:virt_image_t:s0");
    expect(await asKey(machine, ["save", "vm1", "/root/shared/vm1"])).toMatchObject({ code: 0, err: "" });
  });
});

test("a home folder of /etc/passwd is no place for what a guest writes, wherever it is, but for images", async () => {
  const machine = makeMachine();
  machine.files.putFolder("/etc");
  putText(
    machine,
    "/etc/passwd",
    "root:x:0:0::/root:/bin/sh\nbob:x:1000:1000:Bob,,,:/data/home/bob:/bin/sh\n",
  );
  for (const [path, type] of [
    ["/data/home/bob", "default_t"],
    ["/data/home/bob/images", "virt_image_t"],
    ["/data/home/ann", "default_t"],
  ] as const)
    machine.files.putFolder(path).xattrs.set(LABEL, `system_u:object_r:${type}:s0`);
  const error = await failedStart(machine, { disks: "", devices: serial("/data/home/bob/.bash_login") });
  expect([error.kind, error.message]).toEqual([
    "denied",
    "Cannot let a guest write /data/home/bob/.bash_login: /data/home/bob is not labelled for guests' files, and /data/home/bob is a home folder",
  ]);
  expect(machine.files.find("/data/home/bob/.bash_login")).toBeUndefined();
  const devices = serial("/data/home/bob/images/log") + serial("/data/home/ann/log");
  await startDomain(nodeOn(machine), domainXml({ disks: "", devices }));
});
