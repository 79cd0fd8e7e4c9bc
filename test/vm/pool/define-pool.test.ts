import { describe, expect, test } from "bun:test";
import { poolStore } from "../../../src/state/pools/pools.ts";
import { parsePoolText } from "../../../src/storage/pool/document.ts";
import { POOL_TYPES } from "../../../src/storage/pool/pool-types.ts";
import { isStartable } from "../../../src/storage/pool/rules/startable.ts";
import { markPool } from "../../../src/vm/pool/autostart-pool.ts";
import { buildPool } from "../../../src/vm/pool/build-pool.ts";
import { definePool, undefinePool } from "../../../src/vm/pool/define-pool.ts";
import { findPool } from "../../../src/vm/pool/find-pool.ts";
import { startPool } from "../../../src/vm/pool/start-pool.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { IMAGES_UUID, OTHER_POOLS, otherPoolXml, poolXml, TARGET } from "../../scenes/pools.ts";
import { errorOf, makeMachine, nodeOn, OTHER } from "../../scenes/scene.ts";
import { makeUsersMachine } from "../../scenes/session.ts";

const NOT_BUILT = { isBuilt: false };

/** Returns the error of a definition, which leaves no pool. */
async function refusedOn(machine: Machine, bytes: Uint8Array) {
  const before = poolStore.listEntries(nodeOn(machine));
  const error = await errorOf(definePool(nodeOn(machine), bytes));
  expect(poolStore.listEntries(nodeOn(machine))).toEqual(before);
  return error;
}

describe("definePool()", () => {
  test("stores libvirt's form, with a UUID that stays when the pool is defined again", async () => {
    const machine = makeMachine();
    const { uuid } = await definePool(nodeOn(machine), poolXml());
    expect(await definePool(nodeOn(machine), poolXml("/srv/other"))).toEqual({ name: "images", uuid });
    expect(poolStore.read(nodeOn(machine), "images")).toEqual({
      name: "images",
      uuid,
      active: undefined,
      defined:
        `<pool type='dir'>\n  <name>images</name>\n  <uuid>${uuid}</uuid>\n` +
        "  <capacity unit='bytes'>0</capacity>\n  <allocation unit='bytes'>0</allocation>\n" +
        "  <available unit='bytes'>0</available>\n  <source>\n  </source>\n" +
        "  <target>\n    <path>/srv/other</path>\n  </target>\n</pool>\n",
    });
    expect(machine.files.get("/etc/svirt/storage/images.xml").mode).toBe(0o600);
  });

  test.each(
    Object.entries(OTHER_POOLS).filter(
      ([type]) => !POOL_TYPES.some((one) => one === type && isStartable(one)),
    ),
  )("stores a pool of type %s, which neither starts nor is built", async (type, content) => {
    const node = nodeOn(makeMachine());
    await definePool(node, otherPoolXml(type, content));
    const [, stored] = /<pool type='([^']*)'/.exec(findPool(node, "other").defined ?? "") ?? [];
    expect(stored).toBe(type);
    for (const [verb, work] of [
      ["start", () => startPool(node, "other", NOT_BUILT)],
      ["build", () => buildPool(node, "other")],
    ] as const) {
      const error = await errorOf(work());
      expect([error.kind, error.place, error.message]).toEqual([
        "unsupported",
        "/pool/@type",
        expect.stringMatching(
          new RegExp(`^Cannot ${verb} the storage pool 'other' of type ${type}: .* yet$`),
        ),
      ]);
    }
    expect(findPool(node, "other").active).toBeUndefined();
  });

  test("keeps mount options, which a start judges", async () => {
    const node = nodeOn(makeMachine());
    await definePool(node, otherPoolXml("netfs", OTHER_POOLS.netfs));
    expect(findPool(node, "other").defined).toContain("<fs:option name='context=a'/>");
  });

  // virStoragePoolObjIsDuplicate() of libvirt
  test("refuses a name or a UUID of another pool", async () => {
    const machine = makeMachine();
    await definePool(nodeOn(machine), poolXml(TARGET, { uuid: IMAGES_UUID }));
    const name = await refusedOn(machine, poolXml("/srv/b", { uuid: OTHER }));
    expect(name.message).toBe(`operation failed: pool 'images' already exists with uuid ${IMAGES_UUID}`);
    const uuid = await refusedOn(machine, poolXml("/srv/b", { name: "b", uuid: IMAGES_UUID }));
    expect(uuid.message).toBe(`operation failed: pool 'images' is already defined with uuid ${IMAGES_UUID}`);
  });

  test.each([
    ["/srv/images", "operation failed: Storage source conflict with pool: 'images'"],
    ["/srv//images/", "operation failed: Storage source conflict with pool: 'images'"],
    ["/srv/images/sub", "whose target is /srv/images"],
    ["/srv", "whose target is /srv/images"],
  ])("refuses the target %s beside a pool in /srv/images", async (target, why) => {
    const machine = makeMachine();
    await definePool(nodeOn(machine), poolXml());
    const error = await refusedOn(machine, poolXml(target, { name: "b" }));
    expect([error.kind, error.message]).toEqual(["in-use", expect.stringContaining(why)]);
    await definePool(nodeOn(machine), poolXml("/srv/images2", { name: "c" }));
  });

  test("refuses the folder of an active pool whose definition names another now", async () => {
    const machine = makeMachine();
    await definePool(nodeOn(machine), poolXml());
    await startPool(nodeOn(machine), "images", { isBuilt: true });
    await definePool(nodeOn(machine), poolXml("/srv/moved"));
    const error = await refusedOn(machine, poolXml(TARGET, { name: "b" }));
    expect(error.message).toContain("Storage source conflict with pool: 'images'");
  });

  test.each([
    ["fs", OTHER_POOLS.fs.replace("/srv/fs", "/srv/fs2"), "logical", OTHER_POOLS.logical],
    ["mpath", OTHER_POOLS.mpath, "mpath", OTHER_POOLS.mpath],
    ["sheepdog", OTHER_POOLS.sheepdog, "sheepdog", OTHER_POOLS.sheepdog],
    ["gluster", OTHER_POOLS.gluster, "gluster", OTHER_POOLS.gluster],
    ["scsi", OTHER_POOLS.scsi, "scsi", OTHER_POOLS.scsi],
    ["iscsi", OTHER_POOLS.iscsi, "iscsi", OTHER_POOLS.iscsi],
    ["netfs", OTHER_POOLS.netfs, "netfs", OTHER_POOLS.netfs.replace("/srv/net", "/srv/net2")],
  ])("refuses a source of %s that another pool has", async (...[type, content, otherType, otherContent]) => {
    const machine = makeMachine();
    await definePool(nodeOn(machine), otherPoolXml(type, content, "first"));
    const error = await refusedOn(machine, otherPoolXml(otherType, otherContent, "second"));
    expect(error.message).toBe("operation failed: Storage source conflict with pool: 'first'");
  });
});

describe("a pool is no way to other files: definePool() refuses", () => {
  test.each([
    ["relative", "xml"],
    ["/", "unsupported"],
    ["//srv/images", "unsupported"],
    ["/srv/../etc", "xml"],
    ["/srv/./images", "unsupported"],
    ["/etc/svirt", "denied"],
    ["/var/lib/svirt/records", "denied"],
    ["/run/svirt", "denied"],
    ["/proc/self", "denied"],
    ["/usr/share/images", "denied"],
    ["/opt/images", "denied"],
    ["/home/alice/images", "denied"],
    ["/var/lib", "denied"],
    ["/var/lib/libvirt", "denied"],
    ["/dev/images", "denied"],
    // Variables of UEFI: NVRAM_FOLDER of svirt, and libvirt's own states.
    ["/var/lib/libvirt/qemu", "denied"],
    ["/var/lib/libvirt/qemu/nvram", "denied"],
    ["/var/lib/libvirt/swtpm/images", "denied"],
  ])("the target %s", async (target, kind) => {
    const machine = makeMachine();
    machine.files.put("/etc/passwd", "file", {
      bytes: new TextEncoder().encode("alice:x:1000:1000::/home/alice:/bin/sh\n"),
    });
    expect((await refusedOn(machine, poolXml(target))).kind).toBe(kind as "denied");
  });

  test.each(["/srv/link", "/srv/link/images"])("%s, which leads through a symbolic link", async (target) => {
    const machine = makeMachine();
    machine.files.putFolder("/srv/real");
    machine.files.put("/srv/link", "symlink", { target: "/srv/real" });
    const error = await refusedOn(machine, poolXml(target));
    expect([error.kind, error.message]).toEqual([
      "denied",
      expect.stringContaining("a symbolic link to /srv/real"),
    ]);
  });

  test("a file in its place, and below one", async () => {
    const machine = makeMachine();
    machine.files.put("/srv/images", "file");
    for (const target of ["/srv/images", "/srv/images/a"])
      expect((await refusedOn(machine, poolXml(target))).message).toContain("/srv/images is no folder");
  });

  test("a folder whose label is of other files", async () => {
    const machine = makeMachine();
    machine.files
      .putFolder("/srv/images")
      .xattrs.set("security.selinux", "system_u:object_r:httpd_sys_content_t:s0");
    expect((await refusedOn(machine, poolXml())).message).toContain("is labelled httpd_sys_content_t");
  });

  test.each([
    ["nonsense", "usage"],
    ["system_u:object_r:unknown_t:s0", "denied"],
    ["system_u:system_r:svirt_t:s0", "denied"],
    ["system_u:object_r:svirt_image_t:s0:c1,c2", "denied"],
    // Each guest, whose range dominates s0, could write the folder. mlsconstrain of the reference policy
    ["system_u:object_r:svirt_image_t:s0", "denied"],
    ["system_u:object_r:svirt_image_t:s0:c1", "denied"],
    ["system_u:object_r:svirt_image_t:s0:c0.c1023", "denied"],
    ["system_u:object_r:svirt_folder_t:s0", "denied"],
    ["system_u:object_r:etc_t:s0", "denied"],
  ])("the label %s", async (label, kind) => {
    const error = await refusedOn(makeMachine(), poolXml(TARGET, { permissions: `<label>${label}</label>` }));
    expect(error.kind).toBe(kind as "denied");
  });
});

describe("undefinePool()", () => {
  test("removes the definition and the mark, and refuses an active pool", async () => {
    const machine = makeMachine();
    const before = snapshot(machine).filter((line) => line.includes("images.xml"));
    await definePool(nodeOn(machine), poolXml());
    await markPool(nodeOn(machine), "images", true);
    await startPool(nodeOn(machine), "images", { isBuilt: true });
    const error = await errorOf(undefinePool(nodeOn(machine), "images"));
    expect([error.kind, error.message]).toEqual([
      "wrong-state",
      "Requested operation is not valid: storage pool 'images' is still active",
    ]);
    machine.files.remove("/run/svirt/storage/images.xml");
    await undefinePool(nodeOn(machine), "images");
    expect(snapshot(machine).filter((line) => line.includes("images.xml"))).toEqual(before);
    expect((await errorOf(undefinePool(nodeOn(machine), "images"))).libvirt.code).toBe(49);
  });
});

describe("a pool's definition", () => {
  test("is of an ordinary user, too, below the user's folders", async () => {
    const machine = makeUsersMachine();
    await definePool(nodeOn(machine), poolXml("/srv/images"));
    expect(machine.files.find("/home/alice/.config/svirt/storage/images.xml")).toBeDefined();
    expect((await errorOf(markPool(nodeOn(machine), "images", true))).message).toContain(
      "ordinary user's storage pools",
    );
  });

  test.each([
    ["/etc/svirt/storage", "is not known to be active"],
    ["/run/svirt/storage", "may be active: no other starts"],
  ])("that cannot be read does not hide the others, in %s, and %s", async (folder) => {
    const machine = makeMachine();
    await definePool(nodeOn(machine), poolXml());
    machine.files.putFolder(`${folder}/folder.xml`);
    machine.files.put(`${folder}/loop.xml`, "symlink", { target: "loop.xml" });
    await definePool(nodeOn(machine), poolXml("/srv/b", { name: "b" }));
    const started = startPool(nodeOn(machine), "b", { isBuilt: true });
    if (folder.startsWith("/etc/")) await started;
    else expect((await errorOf(started)).message).toContain(`${folder}/folder.xml`);
    for (const name of ["folder", "loop"])
      expect((await errorOf(undefinePool(nodeOn(machine), name))).message).toContain(`${folder}/${name}.xml`);
  });

  test("is listed only if a command accepts its name", async () => {
    const machine = makeMachine();
    await definePool(nodeOn(machine), poolXml());
    for (const name of ["", " a", "a\n", "b".repeat(201)])
      machine.files.put(`/etc/svirt/storage/${name}.xml`, "file", { bytes: poolXml() });
    expect(poolStore.listEntries(nodeOn(machine)).map(({ name }) => name)).toEqual(["images"]);
  });

  test("that is damaged does not hide the others", async () => {
    const machine = makeMachine();
    await definePool(nodeOn(machine), poolXml());
    machine.files.put("/etc/svirt/storage/broken.xml", "file", { bytes: new TextEncoder().encode("<pool") });
    await definePool(nodeOn(machine), poolXml("/srv/b", { name: "b" }));
    expect(poolStore.list(nodeOn(machine)).map(({ name }) => name)).toEqual(["b", "images"]);
    expect((await errorOf(startPool(nodeOn(machine), "broken", NOT_BUILT))).message).toContain(
      "it has no <uuid>",
    );
    expect(parsePoolText(poolStore.read(nodeOn(machine), "b")?.defined ?? "").name).toBe("b");
  });
});
