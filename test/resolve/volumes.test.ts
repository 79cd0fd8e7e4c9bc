import { describe, expect, test } from "bun:test";
import { readDefinition } from "../../src/state/definitions.ts";
import { poolStore } from "../../src/state/pools/pools.ts";
import { defineDomain } from "../../src/vm/define/define.ts";
import { destroyDomain } from "../../src/vm/end/destroy.ts";
import { attachDevice, detachDevice, updateDevice } from "../../src/vm/hotplug/change-devices.ts";
import { listDisks } from "../../src/vm/query/disk-list.ts";
import { getDomainXml } from "../../src/vm/query/domain-xml.ts";
import { readSaveImage } from "../../src/vm/save/save-image.ts";
import { startDefinition, startDomain } from "../../src/vm/start/start.ts";
import type { Machine } from "../memory-host/machine.ts";
import { IMAGES, takeOn } from "../scenes/block.ts";
import { BY_PATH, DISK_LABEL, makeDevicePools } from "../scenes/devices.ts";
import { deviceOf, recordOf } from "../scenes/hotplug.ts";
import { FILE, restored, save } from "../scenes/saving.ts";
import { domainXml, errorOf, failedStart, labelOf, makeMachine, nodeOn, ORIGINAL } from "../scenes/scene.ts";

/** Label of read-only images: virtual_image_context of the policy. */
const CONTENT = "system_u:object_r:virt_content_t:s0";
const POOL_UUID = "70a7eb15-6c34-ee9c-bf57-69e8e5ff3fb2";
const POOL = `<pool type='dir'>\n  <name>images</name>\n  <uuid>${POOL_UUID}</uuid>\n  <source>\n  </source>\n  <target>\n    <path>${IMAGES}</path>\n  </target>\n</pool>\n`;
const BUSES: Readonly<Record<string, string>> = { disk: "virtio", cdrom: "ide", lun: "scsi" };
const ASK = { key: "vm1", options: { live: true }, isDryRun: false };
const BOTH = { ...ASK, options: { live: true, config: true } };

/** Returns a disk that is a volume of the pool `images`, or of another. */
function volume(
  name: string,
  { more = "", pool = "images", type = "raw", target = "vda", device = "disk" } = {},
): string {
  return (
    `<disk type='volume' device='${device}'><driver name='qemu' type='${type}'/><source pool='${pool}' volume='${name}'${more}/>` +
    `<target dev='${target}' bus='${BUSES[device]}'/></disk>`
  );
}

/** Returns a machine with the active pool `images`. */
function machineWith(): Machine {
  const machine = makeMachine();
  poolStore.writeActive(nodeOn(machine), "images", POOL);
  return machine;
}

async function xmlOf(machine: Machine, form: "running" | "defined"): Promise<string> {
  return (await getDomainXml(nodeOn(machine), "vm1", form)).xml;
}

describe("a disk that is a volume of a pool", () => {
  test("has the volume's file labelled, and its live XML is libvirt's", async () => {
    const machine = machineWith();
    await startDomain(nodeOn(machine), domainXml({ disks: volume("private1.raw") }));
    const { imageLabel } = recordOf(machine).label;
    expect(labelOf(machine, `${IMAGES}/private1.raw`)).toBe(imageLabel);
    // virDomainDiskSourceFormat() of libvirt
    const live =
      "<disk type='volume' device='disk'>\n      <driver name='qemu' type='raw'/>\n      <source pool='images' volume='private1.raw' index='1'/>";
    expect(await xmlOf(machine, "running")).toContain(live);
    expect(await xmlOf(machine, "running")).not.toContain(IMAGES);
    expect(listDisks(nodeOn(machine), "vm1", "running")).toEqual([
      { type: "volume", device: "disk", target: "vda", source: "private1.raw", pool: "images" },
    ]);
    await destroyDomain(nodeOn(machine), "vm1");
    expect(labelOf(machine, `${IMAGES}/private1.raw`)).toBe(ORIGINAL);
  });

  test("has the labels of its whole chain", async () => {
    const machine = machineWith();
    await startDomain(nodeOn(machine), domainXml({ disks: volume("top.qcow2", { type: "qcow2" }) }));
    const { imageLabel } = recordOf(machine).label;
    expect(labelOf(machine, `${IMAGES}/top.qcow2`)).toBe(imageLabel);
    expect(labelOf(machine, `${IMAGES}/base.raw`)).toBe(CONTENT);
  });

  test("is a volume again in a definition, a saved state and the inactive XML of a transient guest", async () => {
    const machine = machineWith();
    await startDomain(nodeOn(machine), domainXml({ disks: volume("private1.raw") }));
    expect(await xmlOf(machine, "defined")).toContain("<source pool='images' volume='private1.raw'/>");
    const before = recordOf(machine).xml;
    expect(before).toContain(`file='${IMAGES}/private1.raw'`);
    await defineDomain(nodeOn(machine), new TextEncoder().encode(before));
    const defined = await xmlOf(machine, "defined");
    expect(defined).toContain("<source pool='images' volume='private1.raw'/>");
    expect(defined).not.toContain(IMAGES);
    await save(machine);
    expect(readSaveImage(nodeOn(machine), FILE).xml).toContain(
      "<source pool='images' volume='private1.raw'/>",
    );
    await restored(machine);
    expect(labelOf(machine, `${IMAGES}/private1.raw`)).toBe(recordOf(machine).label.imageLabel);
  });

  test.each([
    [
      volume("private1.raw", { pool: "none" }),
      "not-found",
      "Storage pool not found: no storage pool with matching name 'none' (/domain/devices/disk[1]/source/@pool)",
    ],
    [
      volume("none.raw"),
      "not-found",
      "Storage volume not found: no storage vol with matching name 'none.raw' (/domain/devices/disk[1]/source/@volume)",
    ],
    [
      volume("../images/private1.raw"),
      "not-found",
      "Storage volume not found: no storage vol with matching name '../images/private1.raw'",
    ],
    [volume(".."), "not-found", "Storage volume not found: no storage vol with matching name '..'"],
    [
      volume("private1.raw", { more: " mode='host'" }),
      "unsupported",
      "unsupported configuration: disk source mode is only valid when storage pool is of iscsi type",
    ],
    [
      volume("private1.raw", { device: "lun", target: "sda" }),
      "unsupported",
      "unsupported configuration: disk device='lun' is only valid for block type disk source",
    ],
  ])("is refused, and nothing changes: %s", async (disks, kind, message) => {
    const error = await failedStart(machineWith(), { disks });
    expect([error.kind as string, error.message]).toEqual([kind, expect.stringContaining(message)]);
    expect(error.remedy).not.toBe("");
  });

  test("needs an active pool", async () => {
    const machine = machineWith();
    poolStore.removeActive(nodeOn(machine), "images");
    machine.files.putFolder("/etc/svirt/storage");
    machine.files.put("/etc/svirt/storage/images.xml", "file", { bytes: new TextEncoder().encode(POOL) });
    const error = await failedStart(machine, { disks: volume("private1.raw") });
    expect(error.kind).toBe("wrong-state");
    expect(error.message).toStartWith(
      "Requested operation is not valid: storage pool 'images' is not active",
    );
    expect(error.remedy).toBe("Start it: svirt pool-start images");
  });

  test("names the file of a pool that is active and truncated", async () => {
    const machine = machineWith();
    const file = "/run/svirt/storage/images.xml";
    machine.files.get(file).bytes = new TextEncoder().encode(POOL.slice(0, POOL.indexOf("<source>")));
    const error = await failedStart(machine, { disks: volume("private1.raw") });
    expect(error.message).toStartWith(`Cannot read ${file}: Cannot read the XML`);
    expect([error.place, error.remedy]).toEqual([
      "/domain/devices/disk[1]/source/@pool",
      `End it: rm ${file}, and start it again`,
    ]);
  });

  test("that is optional and missing leaves its drive empty", async () => {
    const machine = machineWith();
    const more = " startupPolicy='optional'";
    const disks = volume("none.iso", { more, device: "cdrom", target: "hda" }) + volume("none.raw", { more });
    await startDomain(nodeOn(machine), domainXml({ disks }));
    expect(
      listDisks(nodeOn(machine), "vm1", "running").map(({ source, target }) => [target, source]),
    ).toEqual([["hda", undefined]]);
  });

  test("comes to a running guest and its definition, and goes again", async () => {
    const machine = machineWith();
    await defineDomain(nodeOn(machine), domainXml());
    const definition = readDefinition(nodeOn(machine), "vm1");
    if (definition === undefined) throw new Error("it is not defined");
    await startDefinition(nodeOn(machine), definition);
    const device = deviceOf(volume("private2.raw", { target: "vdb" }));
    await attachDevice(nodeOn(machine), BOTH, device);
    expect(labelOf(machine, `${IMAGES}/private2.raw`)).toBe(recordOf(machine).label.imageLabel);
    expect(readDefinition(nodeOn(machine), "vm1")?.xml).toContain(
      "<source pool='images' volume='private2.raw'/>",
    );
    await detachDevice(nodeOn(machine), BOTH, device);
    expect(labelOf(machine, `${IMAGES}/private2.raw`)).toBe(ORIGINAL);
    const error = await errorOf(
      attachDevice(nodeOn(machine), ASK, deviceOf(volume("none.raw", { target: "vdb" }))),
    );
    expect(error.message).toStartWith("Storage volume not found");
  });

  test("is a drive's new medium", async () => {
    const machine = machineWith();
    const drive = volume("install.iso", { device: "cdrom", target: "hda" });
    await startDomain(nodeOn(machine), domainXml({ disks: drive }));
    const device = deviceOf(volume("base.raw", { device: "cdrom", target: "hda" }));
    if (device.element !== "disk") throw new Error("it is no disk");
    await updateDevice(nodeOn(machine), ASK, { device, force: false });
    expect(listDisks(nodeOn(machine), "vm1", "running")[0]?.source).toBe("base.raw");
    expect(labelOf(machine, `${IMAGES}/base.raw`)).toBe(CONTENT);
    expect(labelOf(machine, `${IMAGES}/install.iso`)).toBe(ORIGINAL);
  });

  test("is no volume after a snapshot, in the guest and in its definition", async () => {
    const machine = machineWith();
    const xml = domainXml({ disks: volume("top.qcow2", { type: "qcow2" }) });
    await defineDomain(nodeOn(machine), xml);
    await startDomain(nodeOn(machine), xml);
    await takeOn(nodeOn(machine));
    const file = `<source file='${IMAGES}/top.s1'`;
    expect(await xmlOf(machine, "running")).toContain(file);
    expect(await xmlOf(machine, "defined")).toContain(file);
    expect(await xmlOf(machine, "defined")).not.toContain("pool=");
  });

  test("of a pool of devices is the device, which is labelled by its node and not by a name", async () => {
    const machine = makeDevicePools();
    const disks = volume("unit:0:1:0", { pool: "scsi", device: "lun", target: "sda" });
    await startDomain(nodeOn(machine), domainXml({ disks }));
    expect(labelOf(machine, "/dev/sdb")).toBe(recordOf(machine).label.imageLabel);
    expect(recordOf(machine).xml).toContain(`<source dev='${BY_PATH}' pool='scsi' volume='unit:0:1:0'/>`);
    expect(await xmlOf(machine, "running")).toContain(
      "<disk type='volume' device='lun'>\n      <driver name='qemu' type='raw'/>\n      <source pool='scsi' volume='unit:0:1:0' index='1'/>",
    );
    await destroyDomain(nodeOn(machine), "vm1");
    expect(labelOf(machine, "/dev/sdb")).toBe(DISK_LABEL);
  });

  test.each([
    ["scsi", "unit:9:9:9", "", "not-found", "Storage volume not found"],
    // virDomainDiskTranslateSourcePool() of libvirt
    [
      "scsi",
      "unit:0:1:0",
      " startupPolicy='optional'",
      "xml",
      "'startupPolicy' is only valid for 'file' type volume",
    ],
    [
      "scsi",
      "unit:0:1:0",
      " mode='host'",
      "unsupported",
      "disk source mode is only valid when storage pool is of iscsi",
    ],
    ["mpath", "../sdb", "", "not-found", "Storage volume not found"],
  ])("of the pool of devices %s is refused: %s%s", async (...[pool, name, more, kind, message]) => {
    const error = await failedStart(makeDevicePools(), { disks: volume(name, { pool, more }) });
    expect([error.kind as string, error.message]).toEqual([kind, expect.stringContaining(message)]);
  });

  test("of an iSCSI target is the device that the host has of it, and keeps its mode", async () => {
    const machine = makeDevicePools();
    machine.files.remove("/sys/dev/block/8:32/holders/dm-0");
    const disks = volume("unit:0:0:0", { pool: "iscsi", more: " mode='host'" });
    await startDomain(nodeOn(machine), domainXml({ disks }));
    expect(labelOf(machine, "/dev/sdc")).toBe(recordOf(machine).label.imageLabel);
    expect(await xmlOf(machine, "running")).toContain(
      "<source pool='iscsi' volume='unit:0:0:0' mode='host' index='1'/>",
    );
    const direct = volume("unit:0:0:0", { pool: "iscsi", more: " mode='direct'" });
    const error = await failedStart(makeDevicePools(), { disks: direct });
    expect(error.message).toContain("svirt passes volumes of iSCSI pools as devices only");
  });

  test("of a pool of devices that the host uses is refused", async () => {
    const machine = makeDevicePools();
    machine.files.putFolder("/sys/dev/block/8:16/holders/md0");
    const error = await failedStart(machine, { disks: volume("unit:0:1:0", { pool: "scsi" }) });
    expect(error.message).toContain("the host uses it");
  });

  test("names its pool and its volume, or neither", async () => {
    const disks = `<disk type='file'><source file='${IMAGES}/private1.raw' pool='images'/><target dev='vda'/></disk>`;
    const error = await errorOf(defineDomain(nodeOn(machineWith()), domainXml({ disks })));
    expect(error.message).toContain("it names a pool or a volume without the other");
  });
});
