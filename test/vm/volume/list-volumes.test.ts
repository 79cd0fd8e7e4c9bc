import { describe, expect, test } from "bun:test";
import { partialVolume } from "../../../src/plan/partial-names.ts";
import { poolStore } from "../../../src/state/pools/pools.ts";
import { findVolume } from "../../../src/vm/volume/find-volume.ts";
import { listPoolVolumes, listPoolVolumesWithSizes } from "../../../src/vm/volume/list-volumes.ts";
import { showVolumeOf } from "../../../src/vm/volume/show-volume.ts";
import { errorOf, nodeOn, OTHER } from "../../scenes/scene.ts";
import { activatePool, IMAGES, makePoolMachine, POOL_UUID } from "../../scenes/volumes.ts";

describe("listPoolVolumes()", () => {
  test("lists files and folders by their names, ignoring case, and nothing else", async () => {
    const machine = makePoolMachine();
    machine.files.putFolder("/srv/pool/Backup");
    for (const name of ["b.raw", "a.raw", "C.raw", partialVolume(OTHER), ".svirt-x.new", "line\nbreak"])
      machine.files.put(`/srv/pool/${name}`, "file");
    machine.files.put("/srv/pool/link", "symlink", { target: "/srv/pool/a.raw" });
    machine.files.put("/srv/pool/dangling", "symlink", { target: "/none" });
    for (const type of ["socket", "fifo", "character"] as const)
      machine.files.put(`/srv/pool/${type}`, type, { node: "1:3" });
    activatePool(nodeOn(machine), { name: "srv", folder: "/srv/pool", uuid: OTHER });
    expect(await listPoolVolumes(nodeOn(machine), "srv")).toEqual([
      { name: "a.raw", key: "/srv/pool/a.raw", path: "/srv/pool/a.raw", type: "file" },
      { name: "b.raw", key: "/srv/pool/b.raw", path: "/srv/pool/b.raw", type: "file" },
      { name: "Backup", key: "/srv/pool/Backup", path: "/srv/pool/Backup", type: "dir" },
      { name: "C.raw", key: "/srv/pool/C.raw", path: "/srv/pool/C.raw", type: "file" },
    ]);
  });

  test("refuses a pool whose folder has become a symlink", async () => {
    const machine = makePoolMachine();
    machine.files.put("/srv/link", "symlink", { target: IMAGES });
    activatePool(nodeOn(machine), { name: "linked", folder: "/srv/link", uuid: OTHER });
    const error = await errorOf((async () => await listPoolVolumes(nodeOn(machine), OTHER))());
    expect([error.exitCode, error.message]).toEqual([5, expect.stringContaining("symbolic link")]);
  });

  test("refuses an unknown pool, an inactive one, and one without a folder", async () => {
    const machine = makePoolMachine();
    const node = nodeOn(machine);
    activatePool(node, { name: "gone", folder: "/srv/gone", uuid: OTHER });
    const bytes = new TextEncoder().encode(poolStore.read(node, "images")?.active);
    machine.files.putFolder("/etc/svirt/storage");
    machine.files.put("/etc/svirt/storage/images.xml", "file", { bytes });
    poolStore.removeActive(node, "images");
    const refusals = await Promise.all(
      ["none", "images", "gone"].map((name) => errorOf((async () => await listPoolVolumes(node, name))())),
    );
    expect(refusals.map(({ exitCode, message }) => [exitCode, message])).toEqual([
      [3, "Storage pool not found: no storage pool with matching name 'none'"],
      [4, "Requested operation is not valid: storage pool 'images' is not active"],
      [3, "cannot open directory '/srv/gone': No such file or directory"],
    ]);
  });
});

describe("listPoolVolumesWithSizes()", () => {
  test("shows the format and the size by an image's first bytes", async () => {
    const machine = makePoolMachine();
    const iso = new Uint8Array(40_000);
    iso.set(new TextEncoder().encode("CD001"), 32_769);
    machine.files.get(`${IMAGES}/install.iso`).bytes = iso;
    machine.files.get(`${IMAGES}/private1.raw`).bytes = Uint8Array.of(0x51, 0x46, 0x49, 0xfb, 9, 9, 9, 9);
    machine.files.putFolder(`${IMAGES}/sub`);
    const volumes = await listPoolVolumesWithSizes(nodeOn(machine), "images");
    expect(
      volumes.map(({ capacityBytes, format, name, type }) => [name, type, format, capacityBytes]),
    ).toEqual(
      expect.arrayContaining([
        ["base.raw", "file", "raw", 4096],
        ["install.iso", "file", "iso", 40_000],
        ["sub", "dir", "dir", 0],
        ["private1.raw", "file", "raw", 8],
        ["top.qcow2", "file", "qcow2", 2 ** 20],
      ]),
    );
  });
});

describe("findVolume()", () => {
  test("finds a volume by name, key or path, and its pool", async () => {
    const node = nodeOn(makePoolMachine());
    const found = await findVolume(node, "base.raw", "images");
    expect([found.name, found.path, found.pool.name, found.pool.uuid]).toEqual([
      "base.raw",
      `${IMAGES}/base.raw`,
      "images",
      POOL_UUID,
    ]);
    for (const [key, pool] of [
      [`${IMAGES}/base.raw`, undefined],
      [`${IMAGES}/base.raw`, "images"],
      ["base.raw", POOL_UUID.toUpperCase()],
    ] as const)
      expect(await findVolume(node, key, pool)).toEqual(found);
  });
});

test("showVolumeOf() shows a folder of a pool, which is a volume of type dir", async () => {
  const machine = makePoolMachine();
  machine.files.putFolder(`${IMAGES}/sub`);
  expect(await showVolumeOf(nodeOn(machine), "sub", "images")).toMatchObject({
    type: "dir",
    name: "sub",
    capacityBytes: 0,
    target: { path: `${IMAGES}/sub`, format: { type: "dir" } },
  });
});
