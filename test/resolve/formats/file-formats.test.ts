import { describe, expect, test } from "bun:test";
import { fileFormats } from "../../../src/resolve/formats/file-formats.ts";
import { formatFolder, setFormatMark } from "../../../src/run/labels/format-mark.ts";
import type { Instance } from "../../../src/state/instance.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { createVolume } from "../../../src/vm/volume/create-volume.ts";
import { deleteVolume } from "../../../src/vm/volume/delete-volume.ts";
import { luksBytes } from "../../images/luks-bytes.ts";
import { qcow2Bytes } from "../../images/qcow2-bytes.ts";
import type { FileSystem } from "../../memory-host/file-tree.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { commitOn, endOn, machineWithChain, takeOn, waitOn } from "../../scenes/block.ts";
import { diskXml, domainXml, nodeOn, reapAll } from "../../scenes/scene.ts";
import { IMAGES, makePoolMachine, volumeWith } from "../../scenes/volumes.ts";

const FILE = `${IMAGES}/cloud.img`;
const MARK = "trusted.svirt.format";
const NFS: FileSystem = {
  device: "0:60",
  keepsLabels: false,
  storage: { fileSystems: [{ magic: 0x6969, type: "nfs4" }], disks: [] },
};
const FAT: FileSystem = { device: "8:17", keepsLabels: true, marks: "none" };

function formatAt(node: Instance, path: string): string {
  const facts = node.host.inspectFile(path);
  if (facts === undefined) throw new Error(`${path} is missing`);
  return fileFormats(node).of(facts);
}

/** Returns a machine with an image that svirt gave to no guest. */
function machineWithImage(): Machine {
  const machine = makePoolMachine();
  machine.files.put(FILE, "file", { bytes: qcow2Bytes({}) });
  return machine;
}

function putFolder(machine: Machine, path: string, fileSystem: FileSystem): void {
  machine.files.put(path, "folder", { mode: 0o755, fileSystem });
}

async function liveOf(machine: Machine, disks: string): Promise<void> {
  await startDomain(nodeOn(machine), domainXml({ disks }));
  await destroyDomain(nodeOn(machine), "vm1");
  await reapAll(machine);
}

describe("fileFormats() of an image that the operator has put there", () => {
  test("believes its header", () => {
    expect(formatAt(nodeOn(machineWithImage()), FILE)).toBe("qcow2");
  });

  test("believes its header also while a guest only reads it, as a medium or a kernel", async () => {
    const machine = machineWithImage();
    machine.files.get(FILE).bytes = luksBytes();
    await defineDomain(nodeOn(machine), domainXml({ disks: diskXml(FILE, "vdb", "<readonly/>") }));
    expect(formatAt(nodeOn(machine), FILE)).toBe("luks");
  });

  test.each([
    ["a domain that has it as a raw disk", diskXml(FILE, "vdb"), "raw"],
    ["a domain that has it as a qcow2 disk", diskXml(FILE, "vdb").replace("'raw'", "'qcow2'"), "qcow2"],
    [
      "two disks, of which one is raw",
      `${diskXml(FILE, "vdb")}${diskXml(FILE, "vdc").replace("'raw'", "'qcow2'")}`,
      "raw",
    ],
  ])("follows %s", async (_, disks, format) => {
    const machine = machineWithImage();
    await defineDomain(nodeOn(machine), domainXml({ disks }));
    expect(formatAt(nodeOn(machine), FILE)).toBe(format);
  });

  test("follows a domain that names it by a symbolic link", async () => {
    const machine = machineWithImage();
    machine.files.put("/srv/link", "symlink", { target: FILE });
    await defineDomain(nodeOn(machine), domainXml({ disks: diskXml("/srv/link", "vdb") }));
    expect(formatAt(nodeOn(machine), FILE)).toBe("raw");
  });

  test.each([
    ["libvirt's remembered label", "trusted.libvirt.security.selinux", "system_u:object_r:var_t:s0"],
    ["another machine's mark", `trusted.svirt.machine.${"a".repeat(32)}`, "boot other"],
    ["a guest's label", "security.selinux", "system_u:object_r:svirt_image_t:s0:c1,c2"],
    ["a mark of a later svirt", MARK, "vmdk"],
  ])("believes no header beside %s", (_, name, value) => {
    const machine = machineWithImage();
    machine.files.get(FILE).xattrs.set(name, value);
    expect(formatAt(nodeOn(machine), FILE)).toBe("raw");
  });

  test("believes no header of a block device", () => {
    const machine = makePoolMachine();
    machine.files.get("/dev/vdb").bytes = qcow2Bytes({});
    expect(formatAt(nodeOn(machine), "/dev/vdb")).toBe("raw");
  });
});

describe("a start", () => {
  test.each([
    ["raw", diskXml(FILE, "vdb"), "raw"],
    ["qcow2", diskXml(FILE, "vdb").replace("'raw'", "'qcow2'"), "qcow2"],
    ["raw and shared", diskXml(FILE, "vdb", "<shareable/>"), "raw"],
  ])("marks a disk that is %s before QEMU runs, and the mark stays", async (_, disks, format) => {
    const machine = machineWithImage();
    machine.sharedFiles.add(FILE);
    await liveOf(machine, disks);
    expect(machine.files.get(FILE).xattrs.get(MARK)).toBe(format);
    expect(formatAt(nodeOn(machine), FILE)).toBe(format);
    expect(machine.violations).toEqual([]);
  });

  test("marks no file that the guest only reads", async () => {
    const machine = machineWithImage();
    await liveOf(machine, diskXml(FILE, "vdb", "<readonly/>"));
    expect(machine.files.get(FILE).xattrs.has(MARK)).toBe(false);
  });

  test("marks a file of a serial port", async () => {
    const machine = makePoolMachine();
    const devices = `<serial type='file'><source path='${IMAGES}/port.log'/></serial>`;
    await startDomain(nodeOn(machine), domainXml({ devices }));
    expect(machine.files.get(`${IMAGES}/port.log`).xattrs.get(MARK)).toBe("raw");
  });

  test("marks a shared folder, in which all files are raw afterwards", async () => {
    const machine = makePoolMachine();
    machine.files.put("/srv/all", "folder", { mode: 0o755 });
    const devices =
      "<filesystem type='mount' accessmode='mapped'><source dir='/srv/all'/><target dir='all'/></filesystem>";
    await startDomain(nodeOn(machine), domainXml({ devices }));
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    machine.files.put("/srv/all/below", "folder", { mode: 0o755 });
    machine.files.put("/srv/all/below/a", "file", { bytes: qcow2Bytes({ backingFile: "/etc/shadow" }) });
    expect(formatAt(nodeOn(machine), "/srv/all/below/a")).toBe("raw");
  });

  test("replaces the mark when the operator declares another format", async () => {
    const machine = machineWithImage();
    await liveOf(machine, diskXml(FILE, "vdb"));
    await liveOf(machine, diskXml(FILE, "vdb").replace("'raw'", "'qcow2'"));
    expect(formatAt(nodeOn(machine), FILE)).toBe("qcow2");
  });

  test("does not begin if the mark cannot be set", async () => {
    const machine = machineWithImage();
    const node = nodeOn(machine);
    const { withAttributes } = node.host;
    const host: typeof node.host = {
      ...node.host,
      withAttributes: (id, use) =>
        withAttributes(id, (file) =>
          use({
            ...file,
            setXattr(name, value) {
              if (name === MARK) throw new Error("disk full");
              return file.setXattr(name, value);
            },
          }),
        ),
    };
    const starting = startDomain({ ...node, host }, domainXml({ disks: diskXml(FILE, "vdb") }));
    await expect(starting).rejects.toThrow("disk full");
    expect(machine.processes.qemuOf("11111111-2222-4333-8444-000000000001")).toBeUndefined();
  });
});

describe("block jobs", () => {
  test("a snapshot's new image and the base of a commit are marked", async () => {
    const machine = await machineWithChain();
    await takeOn(nodeOn(machine));
    expect(machine.files.get(`${IMAGES}/top.s1`).xattrs.get(MARK)).toBe("qcow2");
    expect(machine.files.get(`${IMAGES}/base.raw`).xattrs.has(MARK)).toBe(false);
    await commitOn(nodeOn(machine));
    expect(machine.files.get(`${IMAGES}/base.raw`).xattrs.get(MARK)).toBe("raw");
    await waitOn(nodeOn(machine));
    await endOn(nodeOn(machine), "pivot");
    machine.files.get(`${IMAGES}/base.raw`).bytes = qcow2Bytes({ backingFile: "private1.raw" });
    expect(formatAt(nodeOn(machine), `${IMAGES}/base.raw`)).toBe("raw");
  });
});

describe("a file system without trusted attributes", () => {
  test("on NFS no header is believed, and a volume that svirt made is what it made", async () => {
    const machine = makePoolMachine();
    putFolder(machine, "/srv/net", NFS);
    machine.files.put("/srv/net/cloud.img", "file", { bytes: qcow2Bytes({}) });
    expect(formatAt(nodeOn(machine), "/srv/net/cloud.img")).toBe("raw");
    await createVolume(nodeOn(machine), "/srv/net", { volume: volumeWith("<format type='qcow2'/>") });
    expect(formatAt(nodeOn(machine), "/srv/net/new.img")).toBe("qcow2");
  });

  test("svirt's folder has the format, by the file's path or its device, and loses it with the file", async () => {
    const machine = makePoolMachine();
    putFolder(machine, "/var/lib/images/fat", FAT);
    const path = "/var/lib/images/fat/a.img";
    const { inode } = machine.files.put(path, "file", { bytes: qcow2Bytes({}) });
    const node = nodeOn(machine);
    expect(formatAt(node, path)).toBe("qcow2");
    const { id } = node.host.inspectFile(path) ?? { id: undefined };
    if (id === undefined) throw new Error("the file is missing");
    const folder = formatFolder(node.paths.state);
    node.host.withAttributes(id, (file) => setFormatMark(node.host, { file, id }, { format: "raw", folder }));
    expect(formatAt(node, path)).toBe("raw");
    expect(node.host.listFolder(folder)).toEqual([`${inode}-${FAT.device}`]);
  });
});

test("deleteVolume() removes the format in svirt's folder", async () => {
  const machine = makePoolMachine();
  const node = nodeOn(machine);
  machine.files.put(`${IMAGES}/a`, "file", { bytes: qcow2Bytes({}), fileSystem: FAT });
  const id = node.host.inspectFile(`${IMAGES}/a`)?.id;
  if (id === undefined) throw new Error("the file is missing");
  const folder = formatFolder(node.paths.state);
  node.host.withAttributes(id, (opened) =>
    setFormatMark(node.host, { file: opened, id }, { format: "raw", folder }),
  );
  expect(formatAt(node, `${IMAGES}/a`)).toBe("raw");
  await deleteVolume(node, { key: "a", pool: "images" });
  expect(node.host.listFolder(folder)).toEqual([]);
});
