import { beforeEach, describe, expect, test } from "bun:test";
import { readRecord } from "../../../src/state/record.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { extension, qcow2Bytes } from "../../images/qcow2-bytes.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { domainXml, failedStart, labelOf, makeMachine, nodeOn, ORIGINAL, UUID } from "../../scenes/scene.ts";

const CONTENT = "system_u:object_r:virt_content_t:s0";
const AT = "/var/lib/images";

let machine: Machine;

beforeEach(() => {
  machine = makeMachine();
  const put = (name: string, bytes: Uint8Array): void => {
    machine.files.put(`${AT}/${name}`, "file", { bytes }).xattrs.set("security.selinux", ORIGINAL);
  };
  const withData = { features: 4n, extensions: [[extension.dataFile, "written"]] } as const;
  put("tables.qcow2", qcow2Bytes(withData));
  put("below.qcow2", qcow2Bytes(withData));
  for (const name of ["data", "below-data", "written"]) put(name, new Uint8Array(4096));
  // The image begins at 1,024. Read from its start, the file would be another image.
  const parts = new Uint8Array(4096);
  parts.set(qcow2Bytes({ backingFile: "/var/lib/images/base.raw", extensions: [[0xe2792aca, "raw"]] }), 1024);
  parts.set(qcow2Bytes({ backingFile: "/var/lib/images/shared.raw" }));
  put("parts.qcow2", parts);
});

const store = (name: string, inside = ""): string =>
  `<dataStore type='file'><format type='raw'/><source file='${AT}/${name}'>${inside}</source></dataStore>`;
const slice = (offset: number, size: number): string =>
  `<slices><slice type='storage' offset='${offset}' size='${size}'/></slices>`;
const disk = (name: string, inside: string, rest = ""): string =>
  `<disk type='file'><driver type='${name.endsWith("qcow2") ? "qcow2" : "raw"}'/><source file='${AT}/${name}'>${inside}</source>${rest}<target dev='vda' bus='virtio'/></disk>`;
const BELOW = `<backingStore type='file'><format type='qcow2'/><source file='${AT}/below.qcow2'>${store("below-data")}</source><backingStore/></backingStore>`;

/** Starts a guest with the disk. Returns the files' labels, the image label and QEMU's block nodes. */
async function run(disks: string, names: readonly string[]) {
  await startDomain(nodeOn(machine), domainXml({ disks }));
  const image = readRecord(nodeOn(machine), UUID)?.label.imageLabel;
  const words = machine.processes.qemuOf(UUID)?.words ?? [];
  return {
    image,
    labels: names.map((name) => labelOf(machine, `${AT}/${name}`)),
    nodes: words.flatMap((word, at) => (words[at - 1] === "-blockdev" ? [JSON.parse(word)] : [])),
  };
}

describe("<dataStore>", () => {
  // virSecuritySELinuxSetImageLabelInternal() of libvirt: a data file gets the label of its image
  test("is labelled as its image is, and what the image's header names is not touched", async () => {
    const before = snapshot(machine);
    const names = ["tables.qcow2", "data", "below.qcow2", "below-data", "written"];
    const { image, labels, nodes } = await run(disk("tables.qcow2", store("data"), BELOW), names);
    expect(labels).toEqual([image, image, CONTENT, CONTENT, ORIGINAL]);
    expect(nodes.find((node) => node["node-name"] === "libvirt-1-format")).toMatchObject({
      "data-file": "libvirt-2-storage",
      backing: "libvirt-3-format",
    });
    await destroyDomain(nodeOn(machine), "vm1");
    expect(snapshot(machine)).toEqual(before);
  });

  test("has a label of its own where the XML gives it one, and else that of its image", async () => {
    const label = (type: string): string =>
      `<seclabel model='selinux'><label>system_u:object_r:${type}:s0</label></seclabel>`;
    const own = await run(
      disk("tables.qcow2", label("virt_image_t") + store("data", label("virt_content_t"))),
      ["tables.qcow2", "data"],
    );
    expect(own.labels).toEqual(["system_u:object_r:virt_image_t:s0", CONTENT]);
    await destroyDomain(nodeOn(machine), "vm1");
    const its = await run(disk("tables.qcow2", label("virt_image_t") + store("data")), ["data"]);
    expect(its.labels).toEqual(["system_u:object_r:virt_image_t:s0"]);
  });

  test.each([
    ["an image that has its data itself", disk("top.qcow2", store("data")), "its header names no data file"],
    ["a raw image", disk("private1.raw", store("data")), "it is raw"],
    ["a file that is not there", disk("tables.qcow2", store("gone")), "/var/lib/images/gone does not exist"],
    [
      "a file said to be a device",
      disk("tables.qcow2", store("data").replace("type='file'", "type='block'").replace("file=", "dev=")),
      "Cannot use /var/lib/images/data as a disk of type 'block': it is a file",
    ],
  ])("is refused for %s", async (_, disks, why) => {
    expect((await failedStart(machine, { disks })).message).toContain(why);
  });
});

describe("<slices>", () => {
  test("of a raw image are told QEMU, and the file is labelled as a whole", async () => {
    const { image, labels, nodes } = await run(disk("private1.raw", slice(512, 1024)), ["private1.raw"]);
    expect(labels).toEqual([image]);
    expect(nodes.at(-1)).toMatchObject({
      driver: "raw",
      offset: 512,
      size: 1024,
      file: "libvirt-1-storage",
    });
  });

  test("of a qcow2 image begin with its header: it is followed from there", async () => {
    const { labels, nodes } = await run(disk("parts.qcow2", slice(1024, 2048)), ["base.raw", "shared.raw"]);
    expect(labels).toEqual([CONTENT, ORIGINAL]);
    expect(nodes.find((node) => node["node-name"] === "libvirt-1-slice-sto")).toMatchObject({
      driver: "raw",
      offset: 1024,
      size: 2048,
    });
  });

  test.each([
    ["end after their file", slice(3584, 1024), "the slice ends at 4608, and the file at 4096"],
    ["are no whole sectors", slice(0, 1000), "the size must be a multiple of 512"],
  ])("are refused where they %s", async (_, slices, why) => {
    const error = await failedStart(machine, { disks: disk("private1.raw", slices) });
    expect(error).toMatchObject({ kind: "unsupported" });
    expect(error.message).toContain(why);
  });

  test("of a transient disk have the size of the part", async () => {
    machine.files.putFolder("/var/lib/svirt/transient", 0o700);
    const disks = disk("private1.raw", slice(512, 1024)).replace("<target", "<transient/><target");
    await run(disks, []);
    const overlay = machine.files.get(`/var/lib/svirt/transient/${UUID}/vda.qcow2`).bytes;
    // The size, big-endian, in bytes 24 to 31 of the header. qemu.git docs/interop/qcow2.rst
    expect(new DataView(overlay.buffer, overlay.byteOffset).getBigUint64(24)).toBe(1024n);
  });
});
