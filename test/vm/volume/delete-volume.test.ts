import { describe, expect, test } from "bun:test";
import { readDefinition } from "../../../src/state/definitions.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { managedSaveDomain } from "../../../src/vm/save/save-domain.ts";
import { startDefinition, startDomain } from "../../../src/vm/start/start.ts";
import { createVolume } from "../../../src/vm/volume/create-volume.ts";
import { deleteVolume } from "../../../src/vm/volume/delete-volume.ts";
import { extension, qcow2Bytes } from "../../images/qcow2-bytes.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { machineWithKeeper } from "../../scenes/keeper.ts";
import { CLUSTER, FOLDER, makeMachines, startOn } from "../../scenes/machines.ts";
import { diskXml, domainXml, errorOf, nodeOn, ORIGINAL, OTHER, reapAll } from "../../scenes/scene.ts";
import { activatePool, IMAGES, makePoolMachine, POOL_UUID, volumeWith } from "../../scenes/volumes.ts";

const RAW = [[0xe2792aca, "raw"]] as const;
const remove = (machine: Machine, key: string, pool: string | undefined = "images") =>
  deleteVolume(nodeOn(machine), { key, pool });

/** Returns a qcow2 image whose extensions take more than a page, of which the last names a data file. */
function longHeader(): Uint8Array {
  const short = qcow2Bytes({ features: 1n << 2n, headerLength: 4096 });
  const bytes = new Uint8Array(8192);
  bytes.set(short);
  const name = new TextEncoder().encode("private1.raw");
  const view = new DataView(bytes.buffer);
  view.setUint32(4096, extension.dataFile);
  view.setUint32(4100, name.length);
  bytes.set(name, 4104);
  return bytes;
}

/**
 * Expects that a volume is not deleted, and that nothing has changed. Returns the error's exit code and
 * message.
 */
async function refusedOf(machine: Machine, key: string, pool?: string): Promise<readonly [number, string]> {
  const before = snapshot(machine);
  const error = await errorOf(remove(machine, key, pool));
  expect(snapshot(machine)).toEqual(before);
  return [error.exitCode, error.message];
}

describe("deleteVolume() deletes", () => {
  test.each([
    ["its name in a pool", "private1.raw", "images"],
    ["its path", `${IMAGES}/private1.raw`, undefined],
    ["its path in a pool", `${IMAGES}/private1.raw`, "images"],
  ])("a volume by %s", async (_, key, pool) => {
    const machine = makePoolMachine();
    expect(await deleteVolume(nodeOn(machine), { key, pool })).toEqual({
      name: "private1.raw",
      path: `${IMAGES}/private1.raw`,
    });
    expect(machine.files.find(`${IMAGES}/private1.raw`)).toBeUndefined();
  });

  test("the volumes of a chain from its top", async () => {
    const machine = makePoolMachine();
    await remove(machine, "top.qcow2");
    await remove(machine, "base.raw");
    expect(machine.files.find(`${IMAGES}/base.raw`)).toBeUndefined();
  });

  test("the disk of a guest that has ended and has no definition", async () => {
    const machine = makePoolMachine();
    await startDomain(nodeOn(machine), domainXml({ disks: diskXml(`${IMAGES}/private1.raw`, "vda") }));
    await destroyDomain(nodeOn(machine), "vm1");
    await remove(machine, "private1.raw");
    expect(machine.files.find(`${IMAGES}/private1.raw`)).toBeUndefined();
  });

  test("of two at once, one finds no volume", async () => {
    const machine = makePoolMachine();
    const both = await Promise.allSettled([remove(machine, "private1.raw"), remove(machine, "private1.raw")]);
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  });
});

describe("deleteVolume() refuses with exit code 5", () => {
  test.each([
    ["the disk", "private1.raw", diskXml(`${IMAGES}/private1.raw`, "vda")],
    ["the backing file of a disk", "base.raw", diskXml(`${IMAGES}/top.qcow2`, "vda")],
    ["a shared disk", "shared.raw", diskXml(`${IMAGES}/shared.raw`, "vda", "<shareable/>")],
    ["a read-only disk", "install.iso", diskXml(`${IMAGES}/install.iso`, "vda", "<readonly/>")],
  ])("%s of a running guest", async (_, name, disks) => {
    const machine = makePoolMachine();
    await startDomain(nodeOn(machine), domainXml({ disks }));
    const [code, message] = await refusedOf(machine, name);
    expect([code, message]).toEqual([5, `Cannot delete ${IMAGES}/${name}: the guest vm1 uses that file`]);
  });

  test("a file that a guest's process has open without a claim", async () => {
    const machine = await machineWithKeeper();
    activatePool(nodeOn(machine), { name: "images", folder: IMAGES, uuid: POOL_UUID });
    const [code, message] = await refusedOf(machine, "top.qcow2");
    expect([code, message]).toEqual([
      5,
      expect.stringMatching(/^Cannot use .*top.qcow2: the guest vm1, process \d+ .* still holds it/),
    ]);
    expect(machine.violations).toEqual([]);
  });

  test("a file that libvirt has marked for its guests", async () => {
    const machine = makePoolMachine();
    const { xattrs } = machine.files.get(`${IMAGES}/private1.raw`);
    xattrs.set("trusted.libvirt.security.selinux", ORIGINAL);
    xattrs.set("trusted.libvirt.security.ref_selinux", "1");
    xattrs.set("trusted.libvirt.security.timestamp_selinux", String(machine.bootSeconds));
    const [code, message] = await refusedOf(machine, "private1.raw");
    expect([code, message]).toEqual([
      5,
      `Cannot delete ${IMAGES}/private1.raw: libvirt uses it for 1 of its guests`,
    ]);
  });

  test("a file that a guest of another machine has", async () => {
    const { a, b } = makeMachines(CLUSTER);
    await startOn(a);
    activatePool(nodeOn(b), { name: "images", folder: FOLDER, uuid: POOL_UUID });
    const [code, message] = await refusedOf(b, "disk.raw");
    expect([code, message]).toEqual([
      5,
      expect.stringContaining(`another machine holds it, ${a.name} (${a.id})`),
    ]);
  });

  test("a disk of a defined domain, by any name of its file", async () => {
    const machine = makePoolMachine();
    machine.files.put("/srv/link", "symlink", { target: `${IMAGES}/private1.raw` });
    await defineDomain(nodeOn(machine), domainXml({ disks: diskXml("/srv/link", "vda") }));
    expect(await refusedOf(machine, "private1.raw")).toEqual([
      5,
      `Cannot delete ${IMAGES}/private1.raw: the domain 'vm1' has it`,
    ]);
  });

  test("the file below a disk of a defined domain, though both are in no pool but that one", async () => {
    const machine = makePoolMachine();
    machine.files.put("/srv/above.qcow2", "file", {
      bytes: qcow2Bytes({ backingFile: `${IMAGES}/top.qcow2`, extensions: [[0xe2792aca, "qcow2"]] }),
    });
    await defineDomain(nodeOn(machine), domainXml({ disks: diskXml("/srv/above.qcow2", "vda") }));
    for (const name of ["top.qcow2", "base.raw"])
      expect((await refusedOf(machine, name))[1]).toContain("the domain 'vm1' has it");
  });

  test("a volume that a definition names by its pool, and the one below it", async () => {
    const machine = makePoolMachine();
    const disk =
      "<disk type='volume' device='disk'><driver name='qemu' type='qcow2'/><source pool='images' volume='top.qcow2'/><target dev='vda'/></disk>";
    await defineDomain(nodeOn(machine), domainXml({ disks: disk }));
    for (const name of ["top.qcow2", "base.raw"])
      expect(await refusedOf(machine, name)).toEqual([
        5,
        `Cannot delete ${IMAGES}/${name}: the domain 'vm1' has it`,
      ]);
  });

  test("a volume below an image that is in no pool and below another volume", async () => {
    const machine = makePoolMachine();
    machine.files.put("/srv/middle.qcow2", "file", {
      bytes: qcow2Bytes({ backingFile: `${IMAGES}/private1.raw`, extensions: RAW }),
    });
    machine.files.get(`${IMAGES}/private2.raw`).bytes = qcow2Bytes({
      backingFile: "/srv/middle.qcow2",
      extensions: [[0xe2792aca, "qcow2"]],
    });
    expect((await refusedOf(machine, "private1.raw"))[1]).toContain(
      `the volume ${IMAGES}/private2.raw needs it`,
    );
  });

  test.each([
    [
      "has a feature that svirt does not know",
      qcow2Bytes({ features: 1n << 40n, backingFile: "private1.raw" }),
    ],
    [
      "is of a format that svirt does not read",
      new TextEncoder().encode("KDMV parentFileNameHint=private1.raw"),
    ],
    ["has a header of more than one page", longHeader()],
  ])("a volume whose name is in the header of an image that %s", async (_, bytes) => {
    const machine = makePoolMachine();
    machine.files.put(`${IMAGES}/strange`, "file", { bytes });
    expect((await refusedOf(machine, "private1.raw"))[1]).toContain(`the volume ${IMAGES}/strange needs it`);
    await remove(machine, "private2.raw");
  });

  test("a volume below another one, of any active pool", async () => {
    const machine = makePoolMachine();
    // VIR_FROM_STORAGE, as of each refusal about a volume in libvirt's storage_driver.c
    expect((await errorOf(remove(machine, "base.raw"))).libvirt.domain).toBe(18);
    expect(await refusedOf(machine, "base.raw")).toEqual([
      5,
      `Cannot delete ${IMAGES}/base.raw: the volume ${IMAGES}/top.qcow2 needs it`,
    ]);
    machine.files.put("/srv/clone.qcow2", "file", {
      bytes: qcow2Bytes({ backingFile: `${IMAGES}/private1.raw`, extensions: RAW }),
    });
    activatePool(nodeOn(machine), { name: "other", folder: "/srv", uuid: OTHER });
    expect((await refusedOf(machine, "private1.raw"))[1]).toContain("the volume /srv/clone.qcow2 needs it");
  });

  test.each([
    ["a folder", ["folder", {}], "it is not a file"],
    ["a socket", ["socket", {}], "it is a socket"],
    ["a FIFO", ["fifo", {}], "it is a fifo"],
    ["a device", ["character", { node: "1:5" }], "it is a character"],
    ["a symlink", ["symlink", { target: "/srv/elsewhere" }], "it is a symlink to /srv/elsewhere"],
  ] as const)("%s", async (_, [type, options], why) => {
    const machine = makePoolMachine();
    machine.files.put("/srv/elsewhere", "file");
    machine.files.put(`${IMAGES}/entry`, type, options);
    const [code, message] = await refusedOf(machine, "entry");
    expect([code, message]).toEqual([5, expect.stringContaining(why)]);
  });

  test("a file of the host, in a pool of a folder of the host", async () => {
    const machine = makePoolMachine();
    machine.files.put("/etc/passwd", "file");
    activatePool(nodeOn(machine), { name: "etc", folder: "/etc", uuid: OTHER });
    expect((await refusedOf(machine, "passwd", "etc"))[0]).toBe(5);
  });
});

test("images that name each other in a circle do not stop a deletion", async () => {
  const machine = makePoolMachine();
  for (const [name, other] of [
    ["private2.raw", "private3.raw"],
    ["private3.raw", "private2.raw"],
  ] as const)
    machine.files.get(`${IMAGES}/${name}`).bytes = qcow2Bytes({
      features: 4n,
      backingFile: other,
      extensions: [
        [0xe2792aca, "qcow2"],
        [0x44415441, other],
      ],
    });
  await remove(machine, "private1.raw");
  expect(machine.files.find(`${IMAGES}/private1.raw`)).toBeUndefined();
});

test("a disk whose guest wrote a header into it keeps no other volume", async () => {
  const machine = makePoolMachine();
  machine.files.put("/srv/guest.raw", "file", {
    bytes: qcow2Bytes({ backingFile: `${IMAGES}/private1.raw`, extensions: RAW }),
  });
  await defineDomain(nodeOn(machine), domainXml({ disks: diskXml("/srv/guest.raw", "vda") }));
  await remove(machine, "private1.raw");
  expect(machine.files.find(`${IMAGES}/private1.raw`)).toBeUndefined();
});

describe("deleteVolume() finds no volume", () => {
  test.each([
    ["of another name", "none", "failed to get vol 'none'"],
    ["by a path out of every pool", "/etc/passwd", "failed to get vol '/etc/passwd'"],
    [
      "by a path that leads out of the pool",
      "../../../etc/passwd",
      "failed to get vol '../../../etc/passwd'",
    ],
  ])("%s", async (_, key, message) => {
    const machine = makePoolMachine();
    machine.files.put("/etc/passwd", "file");
    const error = await errorOf(remove(machine, key));
    expect([error.exitCode, error.message]).toEqual([3, message]);
  });

  test("by a name without a pool, or in a pool that is not there", async () => {
    const machine = makePoolMachine();
    const node = nodeOn(machine);
    const unnamed = await errorOf(deleteVolume(node, { key: "base.raw", pool: undefined }));
    expect(unnamed.message).toBe("failed to get vol 'base.raw', specifying --pool might help");
    const unknown = await errorOf(remove(machine, "base.raw", "none"));
    expect([unknown.exitCode, unknown.message]).toEqual([
      3,
      "Storage pool not found: no storage pool with matching name 'none'",
    ]);
  });

  test("of another pool", async () => {
    const machine = makePoolMachine();
    activatePool(nodeOn(machine), { name: "other", folder: "/srv", uuid: OTHER });
    const error = await errorOf(remove(machine, `${IMAGES}/base.raw`, "other"));
    expect([error.exitCode, error.message]).toEqual([
      3,
      `Requested volume '${IMAGES}/base.raw' is not in pool 'other'`,
    ]);
  });
});

test("a volume that is created above another one keeps it at the same time", async () => {
  const machine = makePoolMachine();
  const below = `<backingStore><path>${IMAGES}/private1.raw</path></backingStore>`;
  const volume = volumeWith("<format type='qcow2'/>", below);
  const [made, deleted] = await Promise.allSettled([
    createVolume(nodeOn(machine), IMAGES, { volume }),
    remove(machine, "private1.raw"),
  ]);
  expect([made.status, deleted.status].sort()).toEqual(["fulfilled", "rejected"]);
});

// The definition may have changed since the guest was saved, whose memory is useless without its disks.
test("deleteVolume() keeps the disk of a managed save, which the next start resumes", async () => {
  const machine = makePoolMachine();
  await defineDomain(nodeOn(machine), domainXml({ disks: diskXml(`${IMAGES}/private1.raw`, "vda") }));
  const definition = readDefinition(nodeOn(machine), "vm1");
  if (definition !== undefined) await startDefinition(nodeOn(machine), definition);
  await managedSaveDomain(nodeOn(machine), "vm1", { resumes: undefined });
  await reapAll(machine);
  await defineDomain(nodeOn(machine), domainXml());
  const error = await errorOf(remove(machine, "private1.raw"));
  expect([error.kind, error.message, error.remedy]).toEqual([
    "in-use",
    `Cannot delete ${IMAGES}/private1.raw: the saved state of the domain 'vm1' has it`,
    "Start that domain, or remove its state: svirt managedsave-remove vm1",
  ]);
  await remove(machine, "private2.raw");
});
