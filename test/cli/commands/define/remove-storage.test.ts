import { expect, test } from "bun:test";
import type { Machine } from "../../../memory-host/machine.ts";
import { diskXml, domainXml, nodeOn, OTHER } from "../../../scenes/scene.ts";
import { activatePool, makePoolMachine } from "../../../scenes/volumes.ts";
import { runOn, type Said } from "../../in-memory.ts";

// cmdUndefine() of libvirt's tools/virsh-domain.c

const VOLUME =
  "<disk type='volume' device='disk'><source pool='small' volume='two.raw'/><target dev='vdb' bus='virtio'/></disk>";
const DISKS = `${diskXml("/srv/small/one.raw", "vda")}${VOLUME}`;
const CDROM = "<disk type='file' device='cdrom'><target dev='sda' bus='sata'/></disk>";

/** Returns a machine with a pool of three volumes, and vm1 with disks. */
async function machineWith(disks = DISKS + CDROM): Promise<Machine> {
  const machine = makePoolMachine();
  for (const name of ["one", "two", "three"])
    machine.files.put(`/srv/small/${name}.raw`, "file", { bytes: new Uint8Array(2048).fill(7) });
  activatePool(nodeOn(machine), { name: "small", folder: "/srv/small", uuid: OTHER });
  machine.files.put("/vm.xml", "file", { bytes: domainXml({ disks }) });
  expect((await runOn(machine, "define", "/vm.xml")).code).toBe(0);
  return machine;
}

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
    err: "",
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
  const other = domainXml({ name: "vm2", uuid: OTHER, disks: diskXml("/srv/small/one.raw", "vda") });
  machine.files.put("/vm2.xml", "file", { bytes: other });
  expect((await runOn(machine, "define", "/vm2.xml")).code).toBe(0);
  const { code, err, out } = await undefine(machine, "--remove-all-storage");
  expect([code, err.includes("Failed to remove storage volume 'vda'(/srv/small/one.raw): ")]).toEqual([
    7,
    true,
  ]);
  expect(out).toContain("Volume 'vdb'(two.raw) removed.");
  expect([namesOn(machine), await isDefined(machine)]).toEqual([["one", "three"], false]);
});

test("a disk outside of all pools stays, with virsh's error", async () => {
  const machine = await machineWith(diskXml("/nowhere/x.raw", "vda"));
  const { code, err } = await undefine(machine, "--remove-all-storage");
  expect([code, err]).toEqual([
    0,
    expect.stringContaining("Storage volume 'vda'(/nowhere/x.raw) is not managed"),
  ]);
});
