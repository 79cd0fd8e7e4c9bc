import { describe, expect, test } from "bun:test";
import { destroyDomain } from "../../src/vm/end/destroy.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import type { Machine } from "../memory-host/machine.ts";
import {
  diskXml,
  domainXml,
  failedStart,
  labelOf,
  makeMachine,
  nodeOn,
  ORIGINAL,
  OTHER,
  reapAll,
  UUID,
} from "../scenes/scene.ts";

const DISK = "/var/lib/images/private1.raw";
const NODE = "/dev/sdb1";

describe("weakness 3: no second guest takes the label off a running guest's disk by another name of it", () => {
  test.each([
    ["a symlink", DISK, (machine: Machine) => machine.files.put("/srv/x", "symlink", { target: DISK })],
    [
      "a hard link, or another mount of its folder",
      DISK,
      (machine: Machine) => link(machine, "/srv/x", DISK),
    ],
    [
      "another node of the same block device",
      NODE,
      (machine: Machine) => machine.files.put("/srv/x", "block", { node: machine.files.get(NODE).node }),
    ],
  ])("by way of %s", async (_, path, spell) => {
    for (const how of ["", "<readonly/>", "<shareable/>"]) {
      const machine = makeMachine();
      machine.files.putFolder("/srv");
      putBlockDevice(machine, NODE);
      spell(machine);
      await startDomain(nodeOn(machine), domainXml({ disks: anyDisk(machine, path) }));
      const label = labelOf(machine, path);
      const disks = anyDisk(machine, "/srv/x", how);
      expect((await failedStart(machine, { name: "vm2", uuid: OTHER, disks })).kind).toBe("in-use");
      expect(labelOf(machine, path)).toBe(label);
      await destroyDomain(nodeOn(machine), UUID);
      await reapAll(machine);
      expect(labelOf(machine, path)).toBe(ORIGINAL);
    }
  });
});

/** Adds a name for the inode at a path. */
function link(machine: Machine, name: string, path: string): void {
  const cut = name.lastIndexOf("/");
  machine.files.get(name.slice(0, cut)).entries.set(name.slice(cut + 1), machine.files.get(path));
}

function putBlockDevice(machine: Machine, path: string): void {
  machine.files.put(path, "block", { node: "8:17" }).xattrs.set("security.selinux", ORIGINAL);
}

/** Returns a disk for the file or block device at a path. */
function anyDisk(machine: Machine, path: string, extra = ""): string {
  if (machine.files.get(path).type === "file") return diskXml(path, "vda", extra);
  return `<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='${path}'/><target dev='vda' bus='virtio'/>${extra}</disk>`;
}
