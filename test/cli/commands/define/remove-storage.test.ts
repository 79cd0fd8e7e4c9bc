import { describe, expect, test } from "bun:test";
import { readDefinition, writeDefinition } from "../../../../src/state/definitions.ts";
import { undefineDomain } from "../../../../src/vm/define/undefine.ts";
import { startDomain } from "../../../../src/vm/start/start.ts";
import { qcow2Bytes } from "../../../images/qcow2-bytes.ts";
import type { Machine } from "../../../memory-host/machine.ts";
import { machineWithBoth } from "../../../scenes/hanging-server.ts";
import { NET } from "../../../scenes/mounted-pools.ts";
import { diskXml, domainXml, errorOf, nodeOn, OTHER, UUID } from "../../../scenes/scene.ts";
import { activatePool, IMAGES, makePoolMachine } from "../../../scenes/volumes.ts";
import { runMeanwhile, runOn, type Said } from "../../in-memory.ts";

// cmdUndefine() of libvirt's tools/virsh-domain.c

const VOLUME =
  "<disk type='volume' device='disk'><source pool='small' volume='two.raw'/><target dev='vdb' bus='virtio'/></disk>";
const DISKS = `${diskXml("/srv/small/one.raw", "vda")}${VOLUME}`;
const CDROM = "<disk type='file' device='cdrom'><target dev='sda' bus='sata'/></disk>";

/** Returns a machine with a pool of three volumes, and vm1 with disks. */
async function machineWith(disks = DISKS + CDROM): Promise<Machine> {
  const machine = makePoolMachine();
  machine.files.putFolder("/srv/small");
  for (const name of ["one", "two", "three"])
    machine.files.put(`/srv/small/${name}.raw`, "file", { bytes: new Uint8Array(2048).fill(7) });
  activatePool(nodeOn(machine), { name: "small", folder: "/srv/small", uuid: OTHER });
  machine.files.put("/vm.xml", "file", { bytes: domainXml({ disks }) });
  expect((await runOn(machine, "define", "/vm.xml")).code).toBe(0);
  return machine;
}

/** Defines another domain with a disk of vm1. */
async function defineSecond(machine: Machine): Promise<void> {
  const disks = diskXml("/srv/small/one.raw", "vda");
  machine.files.put("/vm2.xml", "file", { bytes: domainXml({ name: "vm2", uuid: OTHER, disks }) });
  expect((await runOn(machine, "define", "/vm2.xml")).code).toBe(0);
}

/** What is listed before anything changes. */
const LIST =
  "to delete: 'vda'(/srv/small/one.raw), volume one.raw of pool small\n" +
  "to delete: 'vdb'(two.raw), volume two.raw of pool small\n";

const undefine = (machine: Machine, ...words: readonly string[]): Promise<Said> =>
  runOn(machine, "undefine", "vm1", ...words);
const namesOn = (machine: Machine): string[] =>
  ["one", "two", "three"].filter((name) => machine.files.find(`/srv/small/${name}.raw`) !== undefined);
const isDefined = async (machine: Machine): Promise<boolean> =>
  (await runOn(machine, "domid", "vm1")).code === 0;

test("undefine --remove-all-storage deletes the volumes of all disks, and says so as virsh", async () => {
  const machine = await machineWith();
  expect(await undefine(machine, "--remove-all-storage")).toEqual({
    code: 0,
    out:
      "Domain 'vm1' has been undefined\n\n" +
      "Volume 'vda'(/srv/small/one.raw) removed.\nVolume 'vdb'(two.raw) removed.\n\n",
    err: LIST,
  });
  expect([namesOn(machine), await isDefined(machine)]).toEqual([["three"], false]);
});

test.each([["vda"], ["/srv/small/one.raw"]])("undefine --storage %s deletes that one", async (name) => {
  const machine = await machineWith();
  const { code, out } = await undefine(machine, "--storage", name, "--wipe-storage");
  expect([code, out]).toEqual([
    0,
    "Domain 'vm1' has been undefined\n\n" +
      "Wiping volume 'vda'(/srv/small/one.raw) ... Done.\nVolume 'vda'(/srv/small/one.raw) removed.\n\n",
  ]);
  expect(namesOn(machine)).toEqual(["two", "three"]);
});

test.each([
  [["--storage", "vdz"], 3, "Volume 'vdz' was not found in domain's definition."],
  [["--storage", "sda"], 3, "Volume 'sda' was not found in domain's definition."],
  [["--storage", "vda,,vdb"], 3, "Volume 'vda,vdb' was not found in domain's definition."],
  [["--storage", "vda", "--remove-all-storage"], 2, "mutually exclusive"],
  [["--wipe-storage"], 2, "'--wipe-storage' requires '--storage <string>' or '--remove-all-storage'"],
])("undefine %j changes nothing", async (words, code, why) => {
  const machine = await machineWith();
  const said = await undefine(machine, ...words);
  expect([said.code, said.err.includes(why), namesOn(machine).length, await isDefined(machine)]).toEqual([
    code,
    true,
    3,
    true,
  ]);
});

test("of a running domain no volume is deleted, and it stays defined", async () => {
  const machine = await machineWith();
  expect((await runOn(machine, "start", "vm1")).code).toBe(0);
  const { code, err } = await undefine(machine, "--remove-all-storage");
  expect([code, err.includes("Storage volume deletion is supported only on stopped domains")]).toEqual([
    4,
    true,
  ]);
  expect([namesOn(machine).length, await isDefined(machine)]).toEqual([3, true]);
});

test("a volume that another domain needs stays, the others are deleted, and the exit code says so", async () => {
  const machine = await machineWith();
  await defineSecond(machine);
  const { code, err, out } = await undefine(machine, "--remove-all-storage");
  expect([code, err.includes("Failed to remove storage volume 'vda'(/srv/small/one.raw): ")]).toEqual([
    7,
    true,
  ]);
  expect(out).toContain("Volume 'vdb'(two.raw) removed.");
  expect([namesOn(machine), await isDefined(machine)]).toEqual([["one", "three"], false]);
});

const network = (protocol: string, name: string): string =>
  `<disk type='network' device='disk'><source protocol='${protocol}' name='${name}'><host name='a.test'/></source><target dev='vdc' bus='virtio'/></disk>`;
const OUTSIDE = diskXml("/nowhere/x.raw", "vdc");

test.each([
  ["outside of all pools", OUTSIDE, "/nowhere/x.raw"],
  ["of a pool that does not exist", VOLUME.replace("small", "none").replace("vdb", "vdc"), "two.raw"],
  ["of an NBD server, whatever its name", network("nbd", "/srv/small/three.raw"), "/srv/small/three.raw"],
  ["of a web server", network("https", "/srv/small/three.raw"), "/srv/small/three.raw"],
])("a disk %s is not managed: it is reported, and its code is 7 if it was named", async (_, disk, source) => {
  for (const [words, code] of [
    [["--remove-all-storage"], 0],
    [["--storage", "vda,vdb,vdc"], 7],
  ] as const) {
    const machine = await machineWith(DISKS + disk);
    const said = await undefine(machine, ...words);
    expect([said.code, said.err]).toEqual([
      code,
      expect.stringContaining(`Storage volume 'vdc'(${source}) is not managed`),
    ]);
    expect([namesOn(machine), await isDefined(machine)]).toEqual([["three"], false]);
  }
});

/** Expects that a command is refused, and that all volumes and the domain stay. */
async function expectRefused(
  machine: Machine,
  words: readonly string[],
  { code, why }: { readonly code: number; readonly why: string },
): Promise<void> {
  const said = await undefine(machine, ...words);
  expect([said.code, said.err]).toEqual([code, expect.stringContaining(why)]);
  expect([said.out, namesOn(machine).length, await isDefined(machine)]).toEqual(["", 3, true]);
}

describe("a name that two disks have is refused", () => {
  test("of volumes in two pools", async () => {
    const machine = await machineWith(DISKS + VOLUME.replace("small", "big").replace("vdb", "vdc"));
    machine.files.putFolder("/srv/big");
    machine.files.put("/srv/big/two.raw", "file");
    activatePool(nodeOn(machine), { name: "big", folder: "/srv/big", uuid: UUID });
    const why = "Cannot choose the volume 'two.raw': the disks vdb and vdc have that name";
    await expectRefused(machine, ["--storage", "vda,two.raw"], { code: 2, why });
    expect((await undefine(machine, "--storage", "vdc")).code).toBe(0);
    expect([namesOn(machine).length, machine.files.find("/srv/big/two.raw")]).toEqual([3, undefined]);
  });

  test("as a target and as a source", async () => {
    const machine = await machineWith(DISKS + network("nbd", "vda"));
    await expectRefused(machine, ["--storage", "vda"], { code: 2, why: "Cannot choose the volume 'vda'" });
  });
});

describe("nothing changes while it is unknown whether a disk is a volume", () => {
  test("because its pool is off", async () => {
    const machine = await machineWith(DISKS + VOLUME.replace("small", "off").replace("vdb", "vdc"));
    machine.files.putFolder("/srv/off");
    const pool = `<pool type='dir'><name>off</name><target><path>/srv/off</path></target></pool>`;
    machine.files.put("/pool.xml", "file", { bytes: new TextEncoder().encode(pool) });
    expect((await runOn(machine, "pool-define", "/pool.xml")).code).toBe(0);
    for (const words of [["--remove-all-storage"], ["--storage", "vda,vdc"]])
      await expectRefused(machine, words, { code: 4, why: "storage pool 'off' is not active" });
  });

  test("because a symbolic link has its name", async () => {
    const machine = await machineWith(DISKS + diskXml("/srv/small/link.raw", "vdc"));
    machine.files.put("/srv/small/link.raw", "symlink", { target: "three.raw" });
    await expectRefused(machine, ["--remove-all-storage"], {
      code: 5,
      why: "Cannot use /srv/small/link.raw",
    });
  });

  test("because a server does not answer", async () => {
    const machine = await machineWithBoth();
    const disks = diskXml(`${NET}/a.img`, "vda") + diskXml(`${IMAGES}/private1.raw`, "vdb");
    machine.files.put("/vm.xml", "file", { bytes: domainXml({ disks }) });
    await runOn(machine, "define", "/vm.xml");
    machine.mounts.silent.add(NET);
    expect((await undefine(machine, "--remove-all-storage")).code).toBe(6);
    expect([machine.files.find(`${IMAGES}/private1.raw`) === undefined, await isDefined(machine)]).toEqual([
      false,
      true,
    ]);
  });
});

describe("between the search and the lock", () => {
  test("another definition stays, with its volumes", async () => {
    const machine = await machineWith();
    const { code, err } = await runMeanwhile(machine, ["undefine", "vm1", "--storage", "vda"], (text) => {
      if (!text.startsWith("to delete: ")) return;
      const { name, xml } = readDefinition(nodeOn(machine), "vm1") ?? { name: "", xml: "" };
      writeDefinition(nodeOn(machine), { name, xml: xml.replace("one.raw", "three.raw") });
    });
    expect([code, err]).toEqual([4, expect.stringContaining("definition was changed meanwhile")]);
    expect([namesOn(machine).length, await isDefined(machine)]).toEqual([3, true]);
  });

  test("a guest that starts stays defined, with its volumes", async () => {
    const machine = await machineWith();
    const seen = readDefinition(nodeOn(machine), "vm1");
    await startDomain(nodeOn(machine), domainXml({ disks: DISKS }));
    const error = await errorOf(undefineDomain(nodeOn(machine), "vm1", { seen }));
    expect([error.kind, await isDefined(machine)]).toEqual(["wrong-state", true]);
    expect(error.message).toBe("Storage volume deletion is supported only on stopped domains");
  });

  test.each([[[]], [["--wipe-storage"]]])(
    "another file that takes the name of a volume stays, with %j",
    async (more) => {
      const machine = await machineWith();
      const words = ["undefine", "vm1", "--remove-all-storage", ...more];
      const { code, err, out } = await runMeanwhile(machine, words, (text) => {
        if (text.startsWith("Domain 'vm1' has been undefined"))
          machine.files.put("/srv/small/one.raw", "file", { bytes: Uint8Array.of(1) });
      });
      expect([code, err]).toEqual([7, expect.stringContaining("another file took its name meanwhile")]);
      expect(out.split("Wiping volume 'vda'").length - 1).toBe(more.length);
      expect([namesOn(machine), machine.files.get("/srv/small/one.raw").bytes]).toEqual([
        ["one", "three"],
        Uint8Array.of(1),
      ]);
    },
  );
});

test("all volumes are listed before the definition goes: a kill leaves no unknown ones", async () => {
  const machine = await machineWith();
  let [printed, before] = ["", ""];
  await runMeanwhile(machine, ["undefine", "vm1", "--remove-all-storage"], (text) => {
    if (readDefinition(nodeOn(machine), "vm1") !== undefined) before = printed + text;
    printed += text;
  });
  expect(before).toBe(LIST);
});

test("a base image is deleted after its overlay, in whatever order the disks have them", async () => {
  const machine = await machineWith(DISKS + diskXml("/srv/small/top.qcow2", "vdc"));
  const bytes = qcow2Bytes({ backingFile: "one.raw", extensions: [[0xe2792aca, "raw"]] });
  machine.files.put("/srv/small/top.qcow2", "file", { bytes });
  const { code, err, out } = await undefine(machine, "--remove-all-storage", "--wipe-storage");
  expect([code, err.includes("error: ")]).toEqual([0, false]);
  expect(out).toEndWith(
    "Wiping volume 'vda'(/srv/small/one.raw) ... Done.\nVolume 'vda'(/srv/small/one.raw) removed.\n\n",
  );
  expect([namesOn(machine), machine.files.find("/srv/small/top.qcow2")]).toEqual([["three"], undefined]);
});

test("one volume under two disks is deleted once", async () => {
  const machine = await machineWith(DISKS + diskXml("/srv/small/two.raw", "vdc"));
  const { code, out } = await undefine(machine, "--remove-all-storage");
  expect([code, out.split("\n").filter((line) => line.includes("two.raw"))]).toEqual([
    0,
    ["Volume 'vdb'(two.raw) removed."],
  ]);
});

test("two commas in --storage are one of a name", async () => {
  const machine = await machineWith(diskXml("/srv/small/a,b.raw", "vdc") + DISKS);
  machine.files.put("/srv/small/a,b.raw", "file");
  expect((await undefine(machine, "--storage", "/srv/small/a,,b.raw,vda")).code).toBe(0);
  expect([namesOn(machine), machine.files.find("/srv/small/a,b.raw")]).toEqual([["two", "three"], undefined]);
});

test("a failed wipe ends its line, and the volume stays with its data", async () => {
  const machine = await machineWith(diskXml("/srv/small/one.raw", "vda"));
  await defineSecond(machine);
  const { code, out } = await undefine(machine, "--remove-all-storage", "--wipe-storage");
  expect([code, out]).toEqual([
    7,
    "Domain 'vm1' has been undefined\n\nWiping volume 'vda'(/srv/small/one.raw) ... Failed! Volume not removed.\n",
  ]);
  expect(machine.files.get("/srv/small/one.raw").bytes.every((byte) => byte === 7)).toBe(true);
});

test.each([
  [["--wipe-storage"], 0],
  [[], 7],
])("the data of a volume that is deleted with %j becomes %d", async (more, data) => {
  const machine = await machineWith();
  const inode = machine.files.get("/srv/small/one.raw");
  await undefine(machine, "--storage", "vda", ...more);
  expect([inode.bytes.length, inode.bytes.every((byte) => byte === data)]).toEqual([2048, true]);
});
