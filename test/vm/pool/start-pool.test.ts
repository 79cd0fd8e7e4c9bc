import { describe, expect, test } from "bun:test";
import { fileKey } from "../../../src/plan/facts/file-key.ts";
import { registryOf } from "../../../src/state/instance.ts";
import { poolStore } from "../../../src/state/pools/pools.ts";
import { markPool, startMarkedPools } from "../../../src/vm/pool/autostart-pool.ts";
import { buildPool } from "../../../src/vm/pool/build-pool.ts";
import { definePool } from "../../../src/vm/pool/define-pool.ts";
import { deletePool } from "../../../src/vm/pool/delete-pool.ts";
import { findPool } from "../../../src/vm/pool/find-pool.ts";
import { getPoolFacts, getPoolXml } from "../../../src/vm/pool/pool-facts.ts";
import { createPool, destroyPool, refreshPool, startPool } from "../../../src/vm/pool/start-pool.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { poolXml, TARGET } from "../../scenes/pools.ts";
import { errorOf, makeMachine, nodeOn, OTHER } from "../../scenes/scene.ts";

const NOT_BUILT = { isBuilt: false };
const IMAGES = "system_u:object_r:virt_image_t:s0";
const LABEL = "security.selinux";

async function machineWith(permissions = "", target = TARGET): Promise<Machine> {
  const machine = makeMachine();
  await definePool(nodeOn(machine), poolXml(target, { permissions }));
  return machine;
}

async function messageOf(work: Promise<unknown>): Promise<string> {
  const { kind, message } = await errorOf(work);
  return `${kind}: ${message}`;
}

describe("buildPool()", () => {
  test("makes the folder and those above it, as root's alone, with the label of the place", async () => {
    const machine = await machineWith("", "/srv/a/b/images");
    await buildPool(nodeOn(machine), "images");
    for (const path of ["/srv/a", "/srv/a/b", "/srv/a/b/images"]) {
      const { mode, uid, xattrs } = machine.files.get(path);
      expect([path, mode, uid, xattrs.get(LABEL)]).toEqual([path, 0o711, 0, "system_u:object_r:var_t:s0"]);
    }
    expect((await getPoolFacts(nodeOn(machine), "images")).state).toBe("inactive");
  });

  test("gives the folder its permissions, and gives them to a folder that exists", async () => {
    const permissions = `<mode>0750</mode><owner>107</owner><group>36</group><label>${IMAGES}</label>`;
    const machine = await machineWith(permissions);
    for (let times = 0; times < 2; times += 1) {
      await buildPool(nodeOn(machine), "images");
      const { gid, mode, uid, xattrs } = machine.files.get(TARGET);
      expect([mode, uid, gid, xattrs.get(LABEL)]).toEqual([0o750, 107, 36, IMAGES]);
      Object.assign(machine.files.get(TARGET), { mode: 0o777, uid: 1, gid: 1 });
    }
  });

  test("leaves owner, mode and label of a folder that exists, and its files", async () => {
    const machine = await machineWith();
    const folder = machine.files.putFolder(TARGET, 0o755);
    Object.assign(folder, { uid: 5, gid: 6 });
    machine.files.put(`${TARGET}/disk.img`, "file");
    await buildPool(nodeOn(machine), "images");
    expect([folder.mode, folder.uid, folder.gid, [...folder.entries.keys()]]).toEqual([
      0o755,
      5,
      6,
      ["disk.img"],
    ]);
  });

  test("changes no folder that a guest uses, and leaves it as it is without permissions in the XML", async () => {
    for (const permissions of ["<mode>0777</mode>", `<label>${IMAGES}</label>`, "<owner>5</owner>"]) {
      const machine = await machineWith(permissions);
      const node = nodeOn(machine);
      const before = { ...machine.files.putFolder(TARGET, 0o700) };
      const id = node.host.inspectFile(TARGET)?.id;
      const key = id === undefined ? "" : fileKey(id);
      registryOf(node).reserve({ kind: "file", key, sharing: "exclusive" }, OTHER);
      expect([permissions, (await errorOf(buildPool(node, "images"))).kind]).toEqual([permissions, "in-use"]);
      expect(machine.files.get(TARGET)).toEqual(before);
    }
    const machine = await machineWith();
    machine.files.putFolder(TARGET, 0o700);
    await buildPool(nodeOn(machine), "images");
    expect(machine.files.get(TARGET).mode).toBe(0o700);
  });

  test("refuses an active pool, and copy-on-write", async () => {
    const machine = await machineWith();
    await startPool(nodeOn(machine), "images", { isBuilt: true });
    expect(await messageOf(buildPool(nodeOn(machine), "images"))).toBe(
      "wrong-state: Requested operation is not valid: storage pool 'images' is already active",
    );
    const cow = new TextDecoder().decode(poolXml("/srv/cow", { name: "cow" }));
    await definePool(
      nodeOn(machine),
      new TextEncoder().encode(cow.replace("<target>", "<features><cow state='yes'/></features><target>")),
    );
    expect(await messageOf(buildPool(nodeOn(machine), "cow"))).toContain(
      "/pool/features/cow: svirt does not set",
    );
  });

  test("changes no folder that exists for the holder of a key, but makes a new one", async () => {
    const machine = await machineWith("<mode>0777</mode>", "/srv/images");
    const forKey = { ...nodeOn(machine), isForKey: true as const };
    machine.files.putFolder(TARGET, 0o700);
    expect(await messageOf(buildPool(forKey, "images"))).toContain(
      "denied: Cannot change the permissions of",
    );
    expect(machine.files.get(TARGET).mode).toBe(0o700);
    machine.files.remove(TARGET);
    await buildPool(forKey, "images");
    expect(machine.files.get(TARGET).mode).toBe(0o777);
  });
});

// virt-install --location starts a pool there without a build: libvirt's packages have the folder.
describe("startPool() of the folder for kernels that virt-install uploads", () => {
  const BOOT = "/var/lib/libvirt/boot";

  test("makes the folder", async () => {
    const machine = await machineWith("<mode>0755</mode>", BOOT);
    await startPool(nodeOn(machine), "images", NOT_BUILT);
    expect(machine.files.get(BOOT)).toMatchObject({ type: "folder", mode: 0o755, uid: 0 });
    expect((await getPoolFacts(nodeOn(machine), "images")).state).toBe("running");
  });

  test("changes none that exists, and makes no other", async () => {
    const machine = await machineWith("<mode>0755</mode>", BOOT);
    machine.files.putFolder(BOOT, 0o711);
    await startPool(nodeOn(machine), "images", NOT_BUILT);
    expect(machine.files.get(BOOT).mode).toBe(0o711);
    const other = await machineWith("", "/var/lib/libvirt/isos");
    expect((await errorOf(startPool(nodeOn(other), "images", NOT_BUILT))).kind).toBe("not-found");
    expect(other.files.find("/var/lib/libvirt/isos")).toBeUndefined();
  });
});

describe("a target that has changed since its definition is checked again", () => {
  const acts = [
    ["buildPool()", (machine: Machine) => buildPool(nodeOn(machine), "images")],
    ["startPool()", (machine: Machine) => startPool(nodeOn(machine), "images", NOT_BUILT)],
    [
      "startPool() with a build",
      (machine: Machine) => startPool(nodeOn(machine), "images", { isBuilt: true }),
    ],
    ["deletePool()", (machine: Machine) => deletePool(nodeOn(machine), "images")],
  ] as const;
  const changes: readonly (readonly [string, (machine: Machine) => unknown, string])[] = [
    [
      "a symbolic link to /etc",
      ({ files }) => files.put(TARGET, "symlink", { target: "/etc" }),
      "leads through a symbolic link to /etc",
    ],
    [
      "a link above it",
      ({ files }) => {
        files.remove("/srv");
        files.putFolder("/var/www/images");
        files.put("/srv", "symlink", { target: "/var/www" });
      },
      "leads through a symbolic link to /var/www",
    ],
    ["a file", ({ files }) => files.put(TARGET, "file"), "is no folder"],
    [
      "a folder of a service",
      ({ files }) => files.putFolder(TARGET).xattrs.set(LABEL, "system_u:object_r:httpd_sys_content_t:s0"),
      "is labelled httpd_sys_content_t",
    ],
  ];
  test.each(acts)("by %s", async (_, act) => {
    for (const [what, change, why] of changes) {
      const machine = await machineWith();
      change(machine);
      expect([what, await messageOf(act(machine))]).toEqual([what, expect.stringContaining(why)]);
      expect([what, findPool(nodeOn(machine), "images").active]).toEqual([what, undefined]);
    }
  });

  test("by refreshPool(), which makes the pool inactive, as libvirt does", async () => {
    for (const [what, change, why] of changes) {
      const machine = await machineWith();
      await startPool(nodeOn(machine), "images", { isBuilt: true });
      machine.files.remove(TARGET);
      change(machine);
      expect([what, await messageOf(refreshPool(nodeOn(machine), "images"))]).toEqual([
        what,
        expect.stringContaining(why),
      ]);
      expect([what, findPool(nodeOn(machine), "images").active]).toEqual([what, undefined]);
    }
  });
});

describe("startPool()", () => {
  test("makes a pool active whose folder is there, once", async () => {
    const machine = await machineWith();
    const node = nodeOn(machine);
    expect(await messageOf(startPool(node, "images", NOT_BUILT))).toBe(
      `not-found: cannot open directory '${TARGET}': No such file or directory`,
    );
    await buildPool(node, "images");
    await startPool(node, "images", NOT_BUILT);
    const { active, defined } = findPool(node, "images");
    expect([active, typeof active]).toEqual([defined, "string"]);
    expect(await messageOf(startPool(node, "images", NOT_BUILT))).toBe(
      "wrong-state: Requested operation is not valid: storage pool 'images' is already active",
    );
  });

  test("refuses the folder of another pool, of which a file was written by hand", async () => {
    const machine = await machineWith();
    await definePool(nodeOn(machine), poolXml("/srv/b", { name: "b" }));
    const file = machine.files.get("/etc/svirt/storage/b.xml");
    file.bytes = new TextEncoder().encode(new TextDecoder().decode(file.bytes).replace("/srv/b", TARGET));
    expect(await messageOf(startPool(nodeOn(machine), "b", { isBuilt: true }))).toBe(
      "in-use: operation failed: Storage source conflict with pool: 'images'",
    );
    expect(machine.files.find(TARGET)).toBeUndefined();
  });

  test("keeps the XML of its start while the definition changes, until its end", async () => {
    const machine = await machineWith();
    const node = nodeOn(machine);
    await startPool(node, "images", { isBuilt: true });
    await definePool(node, poolXml("/srv/moved"));
    expect((await getPoolXml(node, "images", "active")).xml).toContain(`<path>${TARGET}</path>`);
    expect((await getPoolXml(node, "images", "defined")).xml).toContain("<path>/srv/moved</path>");
    await destroyPool(node, "images");
    expect(await messageOf(destroyPool(node, "images"))).toBe(
      "wrong-state: Requested operation is not valid: storage pool 'images' is not active",
    );
    await startPool(node, "images", { isBuilt: true });
    expect((await getPoolXml(node, "images", "active")).xml).toContain("<path>/srv/moved</path>");
  });
});

describe("createPool()", () => {
  test("tells how to make a folder that is missing, since nothing is defined to be built", async () => {
    const node = nodeOn(makeMachine());
    const missing = await errorOf(createPool(node, poolXml(), NOT_BUILT));
    expect(missing.remedy).toBe("Create it with the pool: svirt pool-create FILE --build");
    await definePool(node, poolXml());
    expect((await errorOf(startPool(node, "images", NOT_BUILT))).remedy).toContain("pool-build images");
  });

  test("makes a pool active that is gone with its end", async () => {
    const machine = makeMachine();
    const node = nodeOn(machine);
    await createPool(node, poolXml(), { isBuilt: true });
    expect(poolStore.listEntries(node)).toEqual([
      { name: "images", isActive: true, isAutostarted: false, isPersistent: false },
    ]);
    expect(await messageOf(createPool(node, poolXml(), NOT_BUILT))).toBe(
      "wrong-state: Requested operation is not valid: pool is already active as 'images'",
    );
    expect(await messageOf(markPool(node, "images", true))).toBe(
      "wrong-state: internal error: pool has no config file",
    );
    expect((await errorOf(markPool(node, "images", true))).libvirt.name).toBe("VIR_ERR_INTERNAL_ERROR");
    await destroyPool(node, "images");
    expect(poolStore.listEntries(node)).toEqual([]);
    expect(machine.files.find(TARGET)?.inode.type).toBe("folder");
  });

  test("refuses the name of a pool with another uuid, and a place of the host", async () => {
    const machine = await machineWith();
    const error = await errorOf(createPool(nodeOn(machine), poolXml(TARGET, { uuid: OTHER }), NOT_BUILT));
    expect(error.message).toContain("pool 'images' already exists with uuid");
    expect(
      await messageOf(createPool(nodeOn(machine), poolXml("/etc/a", { name: "a" }), { isBuilt: true })),
    ).toContain("denied: Cannot use /etc/a");
    expect(machine.files.find("/etc/a")).toBeUndefined();
  });
});

describe("deletePool()", () => {
  test("removes an empty folder of an inactive pool, and keeps the definition", async () => {
    const machine = await machineWith();
    const node = nodeOn(machine);
    expect(await messageOf(deletePool(node, "images"))).toBe(
      `not-found: failed to remove pool '${TARGET}': No such file or directory`,
    );
    await startPool(node, "images", { isBuilt: true });
    expect(await messageOf(deletePool(node, "images"))).toBe(
      "wrong-state: Requested operation is not valid: storage pool 'images' is still active",
    );
    await destroyPool(node, "images");
    machine.files.put(`${TARGET}/disk.img`, "file");
    expect(await messageOf(deletePool(node, "images"))).toBe(
      `wrong-state: failed to remove pool '${TARGET}': Directory not empty`,
    );
    machine.files.remove(`${TARGET}/disk.img`);
    await deletePool(node, "images");
    expect([machine.files.find(TARGET), findPool(node, "images").name]).toEqual([undefined, "images"]);
  });
});

describe("startMarkedPools()", () => {
  test("starts the marked pools that are inactive, and returns the error of one without a folder", async () => {
    const machine = await machineWith();
    const node = nodeOn(machine);
    await definePool(node, poolXml("/srv/gone", { name: "gone" }));
    await definePool(node, poolXml("/srv/off", { name: "off" }));
    await buildPool(node, "images");
    for (const name of ["gone", "images"]) await markPool(node, name, true);
    const first = await startMarkedPools(nodeOn(machine));
    expect([first.names, first.errors.map(({ kind, message }) => `${kind}: ${message}`)]).toEqual([
      ["images"],
      [
        "not-found: Failed to autostart storage pool 'gone': cannot open directory '/srv/gone': No such file or directory",
      ],
    ]);
    expect((await startMarkedPools(nodeOn(machine))).names).toEqual([]);
  });
});
