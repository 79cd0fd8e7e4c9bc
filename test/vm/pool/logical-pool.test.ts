import { describe, expect, test } from "bun:test";
import { registryOf } from "../../../src/state/instance.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { buildPool } from "../../../src/vm/pool/build-pool.ts";
import { definePool } from "../../../src/vm/pool/define-pool.ts";
import { deletePool } from "../../../src/vm/pool/delete-pool.ts";
import { findSources } from "../../../src/vm/pool/find-sources.ts";
import { getPoolFacts, getPoolXml } from "../../../src/vm/pool/pool-facts.ts";
import { createPool, destroyPool, refreshPool, startPool } from "../../../src/vm/pool/start-pool.ts";
import { makeScsiMachine } from "../../scenes/devices.ts";
import { MemoryLvm } from "../../scenes/lvm.ts";
import { otherPoolXml } from "../../scenes/pools.ts";
import { domainXml, errorOf, nodeOn, OTHER } from "../../scenes/scene.ts";

const MiB = 1024 * 1024;
const NOT_BUILT = { isBuilt: false };
const SOURCE = "<source><device path='/dev/sdb'/><name>vg</name></source>";
const START = "vgchange -aly vg";
const END = "vgchange -aln vg";

/** A machine with the pool `other` of the group vg on sdb, which is to be built. */
async function machineWith(source = SOURCE) {
  const machine = makeScsiMachine();
  const lvm = new MemoryLvm(machine, 68 * MiB);
  await definePool(nodeOn(machine), otherPoolXml("logical", source));
  return { machine, lvm, node: nodeOn(machine) };
}

describe("a pool of type logical", () => {
  test("is built, started, refreshed, ended and deleted with libvirt's commands, and the host is as it was", async () => {
    const { lvm, machine, node } = await machineWith();
    const before = [...machine.files.walk()].map(({ path }) => path).filter((path) => /^\/sys/.test(path));
    await buildPool(node, "other");
    expect(lvm.run.splice(0)).toEqual(["pvcreate --yes /dev/sdb", "vgcreate vg /dev/sdb"]);
    lvm.addVolume("vg", { name: "one", sizeBytes: 8 * MiB });
    await startPool(node, "other", NOT_BUILT);
    expect(await getPoolFacts(node, "other")).toMatchObject({
      state: "running",
      space: { capacityBytes: 64 * MiB, allocationBytes: 8 * MiB, availableBytes: 56 * MiB },
    });
    expect((await getPoolXml(node, "other", "active")).xml).toContain("<path>/dev/vg</path>");
    await refreshPool(node, "other");
    await destroyPool(node, "other");
    expect([lvm.run.splice(0), (await getPoolFacts(node, "other")).state]).toEqual([
      [START, END],
      "inactive",
    ]);
    expect((await errorOf(deletePool(node, "other"))).message).toContain("has the volume one");
    lvm.groups.get("vg")?.volumes.pop();
    await deletePool(node, "other");
    expect(lvm.run.splice(0)).toEqual(["vgremove vg", "pvremove /dev/sdb"]);
    expect([...lvm.groups, ...lvm.physical]).toEqual([]);
    const after = [...machine.files.walk()].map(({ path }) => path).filter((path) => /^\/sys/.test(path));
    expect(after).toEqual(before);
  });

  test("is made in one command, and its group is then kept", async () => {
    const { lvm, node } = await machineWith();
    await createPool(node, otherPoolXml("logical", SOURCE), { isBuilt: true });
    expect(lvm.run.splice(0)).toEqual(["pvcreate --yes /dev/sdb", "vgcreate vg /dev/sdb", START]);
    const error = await errorOf(startPool(node, "other", { isBuilt: true, formatting: "overwrite" }));
    expect([error.message, lvm.run]).toEqual([
      "Requested operation is not valid: storage pool 'other' is already active",
      [],
    ]);
    await destroyPool(node, "other");
    const again = await errorOf(buildPool(node, "other", { formatting: "overwrite" }));
    expect([again.kind, again.message]).toEqual([
      "wrong-state",
      expect.stringContaining("vg exists already"),
    ]);
  });

  test("is not built on a device with content, in use, or of another group", async () => {
    const { lvm, machine, node } = await machineWith();
    machine.files.get("/dev/sdb").bytes.set([1], 600);
    expect((await errorOf(buildPool(node, "other"))).message).toContain("it has content");
    registryOf(node).reserve({ kind: "file", key: "device-8:16", sharing: "exclusive" }, OTHER);
    const overwrite = { formatting: "overwrite" } as const;
    expect((await errorOf(buildPool(node, "other", overwrite))).kind).toBe("in-use");
    registryOf(node).release({ kind: "file", key: "device-8:16", sharing: "exclusive" }, OTHER);
    machine.files.putFolder("/sys/dev/block/8:16/holders/md0");
    expect((await errorOf(buildPool(node, "other", overwrite))).kind).toBe("wrong-state");
    machine.files.remove("/sys/dev/block/8:16/holders/md0");
    lvm.physical.set("/dev/sdb", "root");
    expect((await errorOf(buildPool(node, "other", overwrite))).message).toContain(
      "part of the volume group root",
    );
    expect(lvm.run).toEqual([]);
    lvm.physical.clear();
    await buildPool(node, "other", overwrite);
    expect(lvm.groups.has("vg")).toBe(true);
  });

  test("is not built on a disk that a definition names, even if its content may be lost", async () => {
    const { lvm, node } = await machineWith();
    const disks =
      "<disk type='block'><source dev='/dev/disk/by-path/pci-0000:00:1f.2-scsi-0:0:1:0'/><target dev='vda'/></disk>";
    await defineDomain(node, domainXml({ disks }));
    for (const formatting of ["no-overwrite", "overwrite"] as const) {
      const errors = [
        await errorOf(buildPool(node, "other", { formatting })),
        await errorOf(startPool(node, "other", { isBuilt: true, formatting })),
      ];
      expect(errors.map(({ message }) => message)).toEqual(
        Array(2).fill("Cannot build the storage pool 'other': the domain 'vm1' has the disk /dev/sdb"),
      );
    }
    expect(lvm.run).toEqual([]);
  });

  test("is not built on a disk of which a guest has a partition", async () => {
    const { lvm, node } = await machineWith("<source><device path='/dev/sda'/><name>vg</name></source>");
    registryOf(node).reserve({ kind: "file", key: "device-8:1", sharing: "exclusive" }, OTHER);
    expect((await errorOf(buildPool(node, "other", { formatting: "overwrite" }))).kind).toBe("in-use");
    expect(lvm.run).toEqual([]);
  });

  test("leaves devices as they were if its group cannot be made", async () => {
    const { lvm, node } = await machineWith();
    lvm.failing = {
      start: "vgcreate",
      end: { code: 5, errors: "  WARNING: a\n  /dev/vg: already exists\n" },
    };
    const error = await errorOf(buildPool(node, "other"));
    expect([error.message, [...lvm.physical]]).toEqual([
      "Cannot make the volume group vg: /dev/vg: already exists",
      [],
    ]);
  });

  // virStorageBackendLogicalMatchPoolSource() of libvirt
  test("is not started without its group and its devices, in libvirt's words", async () => {
    const { lvm, node } = await machineWith();
    expect((await errorOf(startPool(node, "other", NOT_BUILT))).message).toBe(
      "unsupported configuration: cannot find logical volume group name 'vg'",
    );
    lvm.physical.set("/dev/sda", "vg");
    expect((await errorOf(startPool(node, "other", NOT_BUILT))).message).toBe(
      "unsupported configuration: cannot find any matching source devices for logical volume group 'vg'",
    );
    expect([lvm.run, (await getPoolFacts(node, "other")).state]).toEqual([[], "inactive"]);
  });

  test("is not started on a disk that a guest has, which writes its own groups there", async () => {
    const { lvm, node } = await machineWith("<source><name>vg</name></source>");
    lvm.physical.set("/dev/sdb", "vg");
    registryOf(node).reserve({ kind: "file", key: "device-8:16", sharing: "exclusive" }, OTHER);
    expect((await errorOf(startPool(node, "other", NOT_BUILT))).kind).toBe("in-use");
    expect(lvm.run).toEqual([]);
  });

  test("is not deleted on a disk that a guest has, or on other devices than its own", async () => {
    const { lvm, node } = await machineWith();
    await buildPool(node, "other");
    lvm.run.length = 0;
    registryOf(node).reserve({ kind: "file", key: "device-8:16", sharing: "exclusive" }, OTHER);
    expect((await errorOf(deletePool(node, "other"))).kind).toBe("in-use");
    registryOf(node).release({ kind: "file", key: "device-8:16", sharing: "exclusive" }, OTHER);
    lvm.physical.clear();
    lvm.physical.set("/dev/sda", "vg");
    expect((await errorOf(deletePool(node, "other"))).message).toBe(
      "unsupported configuration: cannot find any matching source devices for logical volume group 'vg'",
    );
    lvm.physical.clear();
    lvm.physical.set("/dev/sdb", "");
    registryOf(node).reserve({ kind: "file", key: "device-8:16", sharing: "exclusive" }, OTHER);
    expect((await errorOf(deletePool(node, "other"))).kind).toBe("in-use");
    expect(lvm.run).toEqual([]);
  });

  test("is neither started nor deleted on a disk that a definition names, whose guest wrote the group", async () => {
    const { lvm, node } = await machineWith("<source><name>vg</name></source>");
    lvm.physical.set("/dev/sdb", "vg");
    const disks = "<disk type='block'><source dev='/dev/sdb'/><target dev='vda'/></disk>";
    await defineDomain(node, domainXml({ disks }));
    expect((await errorOf(startPool(node, "other", NOT_BUILT))).message).toBe(
      "Cannot start the volume group vg: the domain 'vm1' has the disk /dev/sdb",
    );
    expect((await errorOf(deletePool(node, "other"))).kind).toBe("in-use");
    expect(lvm.run).toEqual([]);
  });

  test("is started without a look at the files of definitions, whose server may hang at boot", async () => {
    const { lvm, machine, node } = await machineWith("<source><name>vg</name></source>");
    lvm.physical.set("/dev/sdb", "vg");
    machine.files.put("/srv/vm1.img", "file", { bytes: new Uint8Array(512) });
    const disks = "<disk type='file'><source file='/srv/vm1.img'/><target dev='vda'/></disk>";
    await defineDomain(node, domainXml({ disks }));
    const seen: string[] = [];
    const { host } = node;
    const inspectFile: typeof host.inspectFile = (path) => {
      seen.push(path);
      return host.inspectFile(path);
    };
    await startPool({ ...node, host: { ...host, inspectFile } }, "other", NOT_BUILT);
    expect([seen.includes("/dev/sdb"), seen.includes("/srv/vm1.img")]).toEqual([true, false]);
  });

  test("says all of LVM's reason if it is refused", async () => {
    const { lvm, node } = await machineWith();
    await buildPool(node, "other");
    // lvm2 2.03.31 with two groups of one name.
    const errors = `  WARNING: VG name vg is used by VGs 10hRfh and LU6JWE.
  Fix duplicate VG names with vgrename uuid, a device filter, or system IDs.
  Multiple VGs found with the same name: skipping vg
  Use --select vg_uuid=<uuid> in place of the VG name.
`;
    lvm.failing = { start: "vgchange", end: { code: 5, errors } };
    expect((await errorOf(startPool(node, "other", NOT_BUILT))).message).toBe(
      "Cannot start the volume group vg: Fix duplicate VG names with vgrename uuid, a device filter, or system IDs. Multiple VGs found with the same name: skipping vg Use --select vg_uuid=<uuid> in place of the VG name.",
    );
  });

  test("deactivates its volumes again if its start fails, unless some were active before", async () => {
    const { lvm, node } = await machineWith();
    await buildPool(node, "other");
    lvm.addVolume("vg", { name: "one" });
    lvm.run.length = 0;
    const second = otherPoolXml("logical", SOURCE, "second");
    expect((await errorOf(createPool(node, second, NOT_BUILT))).message).toContain("source conflict");
    expect(lvm.run.splice(0)).toEqual([START, END]);
    await startPool(node, "other", NOT_BUILT);
    await errorOf(createPool(node, second, NOT_BUILT));
    expect(lvm.run).toEqual([START, START]);
  });

  test("deactivates its volumes again if LVM could activate some of them only", async () => {
    const { lvm, machine, node } = await machineWith();
    await buildPool(node, "other");
    lvm.addVolume("vg", { name: "one" });
    lvm.run.length = 0;
    const run = machine.runProgram;
    machine.runProgram = (words, input) => {
      const end = run(words, input);
      // Message and exit code of lvm2 2.03.31 for a group without one of its disks.
      return words.includes("-aly")
        ? {
            code: 5,
            errors:
              "  Refusing activation of partial LV vg/two.  Use '--activationmode partial' to override.\n",
          }
        : end;
    };
    expect((await errorOf(startPool(node, "other", NOT_BUILT))).message).toContain("partial LV vg/two");
    expect([lvm.run, (await getPoolFacts(node, "other")).state]).toEqual([[START, END], "inactive"]);
  });

  test("stays active while a guest or the host uses a volume, and if LVM refuses its end", async () => {
    const { lvm, machine, node } = await machineWith();
    await buildPool(node, "other");
    lvm.addVolume("vg", { name: "one" });
    await startPool(node, "other", NOT_BUILT);
    const number = machine.files.get("/dev/vg/one").node ?? "";
    const claim = { kind: "file", key: `device-${number}` } as const;
    registryOf(node).reserve({ ...claim, sharing: "exclusive" }, OTHER);
    const guest = await errorOf(destroyPool(node, "other"));
    expect([guest.kind, guest.message]).toEqual(["in-use", expect.stringContaining("uses one")]);
    registryOf(node).release({ ...claim, sharing: "exclusive" }, OTHER);
    machine.files.putFolder(`/sys/dev/block/${number}/holders/dm-9`);
    expect((await errorOf(destroyPool(node, "other"))).message).toContain("the host uses one");
    machine.files.remove(`/sys/dev/block/${number}/holders`);
    lvm.failing = { start: "vgchange -aln", end: { code: 5, errors: "  Logical volume vg/one in use.\n" } };
    expect((await errorOf(destroyPool(node, "other"))).message).toEndWith(": Logical volume vg/one in use.");
    expect((await getPoolFacts(node, "other")).state).toBe("running");
    await destroyPool(node, "other");
  });

  test("ends without LVM's help once its devices are gone", async () => {
    const { lvm, node } = await machineWith();
    await buildPool(node, "other");
    await startPool(node, "other", NOT_BUILT);
    lvm.physical.clear();
    lvm.groups.clear();
    lvm.run.length = 0;
    expect((await getPoolFacts(node, "other")).state).toBe("inaccessible");
    expect((await errorOf(refreshPool(node, "other"))).kind).toBe("failed");
    expect([lvm.run, (await getPoolFacts(node, "other")).state]).toEqual([[], "inactive"]);
  });

  test("names the package of LVM's programs if they are missing, and reports one that hangs", async () => {
    const { lvm, machine, node } = await machineWith();
    lvm.failing = { start: "pvcreate", end: { fault: "timeout" } };
    expect((await errorOf(buildPool(node, "other"))).kind).toBe("timeout");
    machine.files.remove("/usr/sbin/lvm");
    const error = await errorOf(buildPool(node, "other"));
    expect([error.kind, error.remedy]).toEqual(["unsupported", "Install lvm2."]);
  });

  test("is no way for a restricted key to the disks of the host", async () => {
    const { lvm, node } = await machineWith();
    await buildPool(node, "other");
    lvm.run.length = 0;
    const forKey = { ...node, isForKey: true as const };
    for (const work of [
      () => definePool(forKey, otherPoolXml("logical", SOURCE)),
      () => buildPool(forKey, "other"),
      () => startPool(forKey, "other", NOT_BUILT),
      () => deletePool(forKey, "other"),
    ])
      expect((await errorOf(work())).kind).toBe("denied");
    expect(lvm.run).toEqual([]);
  });
});

test("the groups of the host are the sources that pools of type logical may have", async () => {
  const { lvm, node } = await machineWith();
  for (const [path, group] of [
    ["/dev/sda", "vg"],
    ["/dev/sdb", ""],
    ["/dev/sdc", "other"],
    ["/dev/sdd", "vg"],
  ] as const)
    lvm.physical.set(path, group);
  // pvs of lvm2 2.03.31 for a group without one of its disks, and for a disk with damaged metadata, as a
  // guest may write them.
  lvm.physical.set("[unknown]", "vg");
  lvm.physical.set("/dev/sde", "[unknown]");
  // virStoragePoolSourceListFormat() of libvirt
  expect(await findSources(node, "logical", () => undefined)).toBe(`<sources>
  <source>
    <device path='/dev/sda'/>
    <device path='/dev/sdd'/>
    <name>vg</name>
    <format type='lvm2'/>
  </source>
  <source>
    <device path='/dev/sdc'/>
    <name>other</name>
    <format type='lvm2'/>
  </source>
</sources>
`);
});
