import { describe, expect, test } from "bun:test";
import { registryLock, SYSTEM_PATHS } from "../../../src/plan/paths.ts";
import { readRecord } from "../../../src/state/record.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { EXPORT, LABELS, makeSharedStorage, NET, OWN_DISKS } from "../../scenes/mounted-pools.ts";
import { diskXml, domainXml, errorOf, nodeOn, OTHER, sweepAll, UUID } from "../../scenes/scene.ts";

const [DISK] = OWN_DISKS;
const one = domainXml({ disks: diskXml(DISK, "vda") });

function mountPointsOf(machine: Machine): readonly string[] {
  return machine.mounts.list().map(({ path }) => path);
}

function putContent(machine: Machine, path: string): void {
  const folder = machine.files.putFolder(path.slice(0, path.lastIndexOf("/")));
  const file = machine.files.put(path, "file", { bytes: new Uint8Array(512) });
  for (const made of [folder, file]) made.xattrs.set("security.selinux", LABELS.content);
}

describe("a folder that is mounted for one guest", () => {
  test("has no folder of another guest in it, also while the server has not answered yet", async () => {
    const machine = await makeSharedStorage();
    const inner = `${NET}/one/inner/disk.img`;
    putContent(machine, inner);
    const node = nodeOn(machine);
    const { openMount } = node.host;
    const nested = domainXml({ name: "vm2", uuid: OTHER, disks: diskXml(inner, "vda") });
    node.host.openMount = async (order) => {
      const { kind, message } = await errorOf(startDomain(nodeOn(machine), nested));
      expect([kind, message]).toEqual(["in-use", expect.stringContaining("'vm1' has a file in it")]);
      return await openMount(order);
    };
    await startDomain(node, one);
    expect(machine.mounts.orders.map(({ source }) => source)).not.toContain(`${EXPORT}/one/inner`);
    expect([mountPointsOf(machine), readRecord(nodeOn(machine), OTHER)]).toEqual([
      [NET, `${NET}/one`],
      undefined,
    ]);
  });

  test("is mounted nowhere else if a link replaces it after the files were inspected", async () => {
    const machine = await makeSharedStorage();
    const node = nodeOn(machine);
    const { listMounts, openMount } = node.host;
    node.host.listMounts = () => {
      if (machine.locks.has(registryLock(SYSTEM_PATHS))) putLink(machine);
      return listMounts();
    };
    // The server follows its link, too.
    node.host.openMount = (order) => openMount({ ...order, source: `${EXPORT}/two` });
    const { kind, message } = await errorOf(startDomain(node, one));
    expect([kind, message]).toEqual(["denied", `Cannot mount at ${NET}/one: it leads to ${NET}/two now`]);
    expect([mountPointsOf(machine), readRecord(node, UUID)]).toEqual([[NET], undefined]);
  });

  test("loses a mount that the server shows under another name", async () => {
    const machine = await makeSharedStorage();
    machine.files.get(NET).entries.set("other", machine.files.get(`${NET}/one`));
    const node = nodeOn(machine);
    const { openMount } = node.host;
    node.host.openMount = (order) => openMount({ ...order, source: `${EXPORT}/other` });
    const { kind, message } = await errorOf(startDomain(node, one));
    expect([kind, message]).toEqual([
      "denied",
      expect.stringContaining(`${EXPORT}/other is mounted at ${NET}/one`),
    ]);
    expect([mountPointsOf(machine), readRecord(node, UUID)]).toEqual([[NET], undefined]);
  });

  test("is not given up while another file system hides its mount", async () => {
    const machine = await makeSharedStorage();
    await startDomain(nodeOn(machine), one);
    const { folder, order } = {
      folder: `${NET}/one`,
      order: { source: "tmpfs", server: undefined, flags: [] },
    };
    const hiding = machine.files.putFolder("/hiding");
    machine.mounts.attach(folder, hiding, { ...order, attempts: [{ type: "tmpfs", options: [] }] });
    const { kind, message } = await errorOf(destroyDomain(nodeOn(machine), "vm1"));
    expect([kind, message]).toEqual([
      "in-use",
      `Cannot unmount ${NET}/one: another file system is mounted over it`,
    ]);
    machine.mounts.detach(folder);
    await sweepAll(machine);
    expect([mountPointsOf(machine), readRecord(nodeOn(machine), UUID)]).toEqual([[NET], undefined]);
  });

  test.each([
    { use: "to write", extra: "" },
    { use: "to read", extra: "<readonly/>" },
    { use: "to share", extra: "<shareable/>" },
    { use: "as it is", extra: "<readonly/>", seclabel: "<seclabel model='selinux' relabel='no'/>" },
  ])("has no file that another guest gets $use", async ({ extra, seclabel = "" }) => {
    const machine = await makeSharedStorage();
    const path = `${NET}/one/other.img`;
    putContent(machine, path);
    await startDomain(nodeOn(machine), one);
    const disks = diskXml(path, "vda", extra).replace(`'${path}'/>`, `'${path}'>${seclabel}</source>`);
    const other = domainXml({ name: "vm2", uuid: OTHER, disks });
    const { kind, message } = await errorOf(startDomain(nodeOn(machine), other));
    expect([kind, message]).toEqual([
      "in-use",
      `Cannot give ${path} to the guest: its folder is mounted for the guest vm1 alone`,
    ]);
    expect([mountPointsOf(machine).length, readRecord(nodeOn(machine), OTHER)]).toEqual([2, undefined]);
  });
});

/** Replaces the folder of the first guest by a link to that of the second one. */
function putLink({ files }: Machine): void {
  files.remove(`${NET}/one`);
  files.put(`${NET}/one`, "symlink", { target: "two" });
}
