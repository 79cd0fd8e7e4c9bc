import { expect, test } from "bun:test";
import { destroyDomain } from "../../src/vm/end/destroy.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import { runOn } from "../cli/in-memory.ts";
import { type Machine, snapshot } from "../memory-host/machine.ts";
import { diskXml, domainXml, nodeOn, OTHER, reapAll, UUID } from "../scenes/scene.ts";
import { DISK, HOME, HOME_LABEL, makeUsersMachine, USER } from "../scenes/session.ts";

const BASE = DISK.replace("disk.raw", "base.raw");
const XML = domainXml({ type: "qemu", disks: diskXml(DISK, "vda") });

/**
 * Changes a file as a compromised QEMU can by its descriptor, since its user owns the file: fchmod(2),
 * fchown(2).
 */
function makeProgram(machine: Machine, path: string): void {
  Object.assign(machine.files.get(path), { mode: 0o6777, gid: 27 });
}

function ownerOf(machine: Machine, path: string): string {
  const { gid, mode, uid } = machine.files.get(path);
  return `${mode.toString(8)} ${uid}:${gid}`;
}

function putFile(machine: Machine, path: string, mode: number): void {
  machine.files
    .put(path, "file", { uid: USER, gid: 100, mode, bytes: new Uint8Array(4096) })
    .xattrs.set("security.selinux", HOME_LABEL);
}

async function end(machine: Machine, name: string): Promise<void> {
  await destroyDomain(nodeOn(machine), name);
  await reapAll(machine);
}

test("a user's disk has its mode and group back when its guest is gone", async () => {
  const machine = makeUsersMachine();
  const before = snapshot(machine);
  await startDomain(nodeOn(machine), XML);
  makeProgram(machine, DISK);
  await end(machine, "vm1");
  expect(snapshot(machine)).toEqual(before);
});

test("a disk that its guest writes does not stay a program that runs as its owner", async () => {
  const machine = makeUsersMachine();
  putFile(machine, BASE, 0o6755);
  await startDomain(nodeOn(machine), domainXml({ type: "qemu", disks: diskXml(BASE, "vda") }));
  await end(machine, "vm1");
  expect(ownerOf(machine, BASE)).toBe("755 1000:100");
});

test("a file that two guests read gets back what it had before the first of them", async () => {
  const machine = makeUsersMachine();
  putFile(machine, BASE, 0o640);
  const disks = diskXml(BASE, "vdb", "<readonly/>");
  await startDomain(nodeOn(machine), domainXml({ type: "qemu", disks }));
  makeProgram(machine, BASE);
  await startDomain(nodeOn(machine), domainXml({ type: "qemu", name: "vm2", uuid: OTHER, disks }));
  await end(machine, "vm1");
  expect(ownerOf(machine, BASE)).toBe("640 1000:100");
  makeProgram(machine, BASE);
  await end(machine, "vm2");
  expect(ownerOf(machine, BASE)).toBe("640 1000:100");
});

test("a disk that came while the guest ran has them back when it goes", async () => {
  const machine = makeUsersMachine();
  putFile(machine, BASE, 0o600);
  await startDomain(nodeOn(machine), domainXml({ type: "qemu" }));
  expect((await runOn(machine, "attach-disk", "vm1", BASE, "vdb")).code).toBe(0);
  makeProgram(machine, BASE);
  expect((await runOn(machine, "detach-disk", "vm1", "vdb")).code).toBe(0);
  expect(ownerOf(machine, BASE)).toBe("600 1000:100");
  const steps = nodeOn(machine).host.readText(`${HOME}/.local/state/svirt/records/${UUID}.json`);
  expect(steps).not.toContain("remember-owner");
});

test("an image that svirt has made for a snapshot has its mode back", async () => {
  const machine = makeUsersMachine();
  await startDomain(nodeOn(machine), XML);
  const taken = await runOn(
    machine,
    "snapshot-create-as",
    "vm1",
    "--disk-only",
    "--diskspec",
    `vda,file=${BASE}`,
  );
  expect([taken.code, taken.err]).toEqual([0, ""]);
  makeProgram(machine, BASE);
  makeProgram(machine, DISK);
  await end(machine, "vm1");
  expect([ownerOf(machine, BASE), ownerOf(machine, DISK)]).toEqual(["600 1000:0", "600 1000:0"]);
});

test("a file that another one has replaced keeps its mode", async () => {
  const machine = makeUsersMachine();
  await startDomain(nodeOn(machine), XML);
  machine.files.remove(DISK);
  putFile(machine, DISK, 0o644);
  await end(machine, "vm1");
  expect(ownerOf(machine, DISK)).toBe("644 1000:100");
});

test("root's files, which the guest's user cannot change, keep what an administrator gave them meanwhile", async () => {
  const machine = makeUsersMachine();
  machine.uid = 0;
  machine.files.put("/srv/disk.raw", "file", { mode: 0o600, bytes: new Uint8Array(4096) });
  await startDomain(nodeOn(machine), domainXml({ type: "qemu", disks: diskXml("/srv/disk.raw", "vda") }));
  machine.files.get("/srv/disk.raw").mode = 0o640;
  await end(machine, "vm1");
  expect(ownerOf(machine, "/srv/disk.raw")).toBe("640 0:0");
});
