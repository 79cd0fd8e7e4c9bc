import { describe, expect, test } from "bun:test";
import { destroyDomain } from "../../../../src/vm/end/destroy.ts";
import { definePool } from "../../../../src/vm/pool/define-pool.ts";
import { startPool } from "../../../../src/vm/pool/start-pool.ts";
import { startDomain } from "../../../../src/vm/start/start.ts";
import type { Machine } from "../../../memory-host/machine.ts";
import { DISK, diskXml, makeStorageMachine, NET, netXml } from "../../../scenes/mounted-pools.ts";
import { domainXml, errorOf, labelOf, nodeOn } from "../../../scenes/scene.ts";

function volume(pool: string, more = ""): string {
  return (
    `<disk type='volume' device='disk'><driver name='qemu' type='raw'/><source pool='${pool}' volume='a.img'/>` +
    `<target dev='vda' bus='virtio'/>${more}</disk>`
  );
}

/** Returns a machine on which the pool is mounted, with a file at that path. */
async function machineWith(name: string, xml: Uint8Array, path: string): Promise<Machine> {
  const machine = makeStorageMachine();
  await definePool(nodeOn(machine), xml);
  await startPool(nodeOn(machine), name, { isBuilt: false });
  const file = machine.files.put(path, "file", { bytes: new Uint8Array(512) });
  const label = machine.files.get(path.slice(0, path.lastIndexOf("/"))).xattrs.get("security.selinux") ?? "";
  file.xattrs.set("security.selinux", label);
  return machine;
}

describe("a guest whose disk is a volume of a mounted pool", () => {
  test("has it with a label of its own if the file system keeps labels, and gives it back", async () => {
    const machine = await machineWith("disk", diskXml(), `${DISK}/a.img`);
    const before = labelOf(machine, `${DISK}/a.img`);
    await startDomain(nodeOn(machine), domainXml({ disks: volume("disk") }));
    expect(labelOf(machine, `${DISK}/a.img`)).toMatch(/:svirt_image_t:s0:c\d+,c\d+$/);
    await destroyDomain(nodeOn(machine), "vm1");
    expect(labelOf(machine, `${DISK}/a.img`)).toBe(before);
  });

  test("does not start if all files of the pool have the label of content", async () => {
    const machine = await machineWith("net", netXml(), `${NET}/a.img`);
    const { kind, message } = await errorOf(
      startDomain(nodeOn(machine), domainXml({ disks: volume("net") })),
    );
    expect([kind, message]).toEqual(["denied", expect.stringContaining("its file system stores no labels")]);
  });

  test("reads it if all files of the pool have the label of content", async () => {
    const machine = await machineWith("net", netXml(), `${NET}/a.img`);
    await startDomain(nodeOn(machine), domainXml({ disks: volume("net", "<readonly/>") }));
    expect(labelOf(machine, `${NET}/a.img`)).toBe("system_u:object_r:virt_content_t:s0");
  });

  test("does not start while the pool is active and not mounted", async () => {
    const machine = await machineWith("net", netXml(), `${NET}/a.img`);
    machine.mounts.detach(NET);
    machine.files.put(`${NET}/a.img`, "file");
    const { kind, message, place } = await errorOf(
      startDomain(nodeOn(machine), domainXml({ disks: volume("net", "<readonly/>") })),
    );
    expect([kind, message, place]).toEqual([
      "wrong-state",
      expect.stringContaining(`storage pool 'net' is not mounted at ${NET}`),
      "/domain/devices/disk[1]/source/@pool",
    ]);
  });
});
