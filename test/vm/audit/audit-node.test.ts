import { describe, expect, test } from "bun:test";
import type { Host } from "../../../src/host/host.ts";
import { auditNode } from "../../../src/vm/audit/audit-node.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { runOn } from "../../cli/in-memory.ts";
import { hostCall } from "../../memory-host/file-tree.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import {
  ALL_KINDS,
  diskXml,
  domainXml,
  labelOf,
  makeMachine,
  nodeOn,
  reapAll,
  UUID,
} from "../../scenes/scene.ts";

// Invariants of a live svirt instance, and a test that violates each.

const OTHER = "11111111-2222-4333-8444-000000000002";
const GONE = "system_u:object_r:svirt_image_t:s0:c7,c9";
const LABEL = "security.selinux";
const RULES = "/run/udev/rules.d";

async function running(): Promise<Machine> {
  const machine = makeMachine();
  await startDomain(nodeOn(machine), domainXml({ disks: ALL_KINDS }));
  await startDomain(
    nodeOn(machine),
    domainXml({ name: "vm2", uuid: OTHER, disks: diskXml("/var/lib/images/private2.raw", "vda") }),
  );
  return machine;
}

const findings = async (machine: Machine): Promise<readonly string[]> =>
  (await auditNode(nodeOn(machine))).findings;
const relabel = (machine: Machine, path: string, label: string): void =>
  void machine.files.get(path).xattrs.set(LABEL, label);

/** Adds the default labels of devices in a policy. */
function withContexts(machine: Machine): Machine {
  machine.files.putFolder("/etc/selinux/svirt/contexts/files");
  const bytes = new TextEncoder().encode("/dev/kvm\t-c\tsystem_u:object_r:kvm_device_t:s0\n");
  machine.files.put("/etc/selinux/svirt/contexts/files/file_contexts", "file", { bytes });
  return machine;
}

describe("auditNode() proves that", () => {
  test("all is as it should be, shows the device nodes, and changes nothing", async () => {
    const machine = withContexts(await running());
    const before = snapshot(machine);
    const { devices, findings: none } = await auditNode(nodeOn(machine));
    expect(none).toEqual([]);
    expect(devices).toEqual([
      { path: "/dev/vdb", label: labelOf(machine, "/dev/vdb"), guest: "vm1", finding: undefined },
      { path: "/dev/kvm", label: "system_u:object_r:kvm_device_t:s0", guest: undefined, finding: undefined },
    ]);
    expect((await runOn(machine, "audit")).out).toContain("No findings.\n");
    expect(snapshot(machine)).toEqual(before);
  });

  test("a socket that a guest listens at beside its disk is that guest's", async () => {
    const machine = makeMachine();
    const serial =
      "<serial type='unix'><source mode='bind' path='/var/lib/images/serial.sock'/></serial>" +
      diskXml("/var/lib/images/private1.raw", "vda");
    await startDomain(nodeOn(machine), domainXml({ disks: serial }));
    expect(labelOf(machine, "/var/lib/images/serial.sock")).toContain(":svirt_image_t:s0:c");
    expect(await findings(machine)).toEqual([]);
  });

  test("no two guests share a level", async () => {
    const machine = await running();
    const [one, two] = [machine.processes.qemuOf(UUID), machine.processes.qemuOf(OTHER)];
    if (one?.context === undefined || two === undefined) throw new Error("both run");
    Object.assign(two, { context: one.context });
    const level = one.context.split(":").slice(3).join(":");
    expect(await findings(machine)).toContain(`vm1 and vm2 share the level ${level}`);
    expect((await runOn(machine, "audit")).code).toBe(1);
  });

  test("no other process runs at a guest's level", async () => {
    const machine = await running();
    const context = machine.processes.qemuOf(UUID)?.context;
    machine.processes.add({ pid: 4242, command: "sh", context });
    expect(await findings(machine)).toEqual([
      `process 4242 (sh) runs at the level ${context?.split(":").slice(3).join(":")} of the guest vm1`,
    ]);
  });

  test("a guest's process is in the context that was decided", async () => {
    const machine = await running();
    const guest = machine.processes.qemuOf(UUID);
    Object.assign(guest ?? {}, { context: "system_u:system_r:init_t:s0" });
    expect((await findings(machine)).join("\n")).toContain(
      "vm1: its process has the context system_u:system_r:init_t:s0 instead of",
    );
  });

  test.each([
    ["its own disk", "/var/lib/images/top.qcow2"],
    ["what it shares", "/var/lib/images/base.raw"],
  ])("every file that a guest holds open carries its label: %s", async (_, path) => {
    const machine = await running();
    relabel(machine, path, "system_u:object_r:var_t:s0");
    expect(await findings(machine)).toEqual([expect.stringContaining(`vm1: ${path} should be labelled`)]);
  });

  test("a guest holds nothing open that svirt did not give it", async () => {
    const machine = await running();
    const mine = machine.processes.qemuOf(UUID)?.devices;
    const passwd = machine.files.put("/etc/passwd", "file");
    passwd.xattrs.set(LABEL, "system_u:object_r:etc_t:s0");
    mine?.addSet({
      fd: 77,
      file: { path: "/etc/passwd", device: passwd.fileSystem.device, inode: passwd.inode },
      access: "read-only",
      truncate: false,
      direct: false,
    });
    expect(await findings(machine)).toEqual([
      "vm1: /etc/passwd is not one of the files that svirt gave to the guest",
    ]);
    const theirs = machine.files.get("/var/lib/images/private2.raw");
    mine?.addSet({
      fd: 78,
      file: { path: "/var/lib/images/private2.raw", device: theirs.fileSystem.device, inode: theirs.inode },
      access: "read-only",
      truncate: false,
      direct: false,
    });
    expect(await findings(machine)).toContain(
      "vm1: /var/lib/images/private2.raw has the level of another guest",
    );
  });

  test("a device node of a guest is there, is the one, and carries its label", async () => {
    const machine = await running();
    const label = String(labelOf(machine, "/dev/vdb"));
    relabel(machine, "/dev/vdb", "system_u:object_r:fixed_disk_device_t:s0");
    expect(await findings(machine)).toEqual([`vm1: /dev/vdb should be labelled ${label}`]);
    machine.files.put("/dev/vdb", "block", { node: "254:32" });
    expect(await findings(machine)).toContain("vm1: /dev/vdb has become another device");
    machine.files.remove("/dev/vdb");
    expect(await findings(machine)).toContain("vm1: /dev/vdb no longer exists");
  });

  test("udevd has a rule for a device node of a guest, also if it was started later", async () => {
    const machine = await running();
    machine.files.putFolder("/run/udev");
    machine.files.put("/run/udev/control", "socket");
    expect(await findings(machine)).toEqual([
      "vm1: /dev/vdb may be relabelled by udevd, since no udev rule keeps its label; restart the guest",
    ]);
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    await startDomain(nodeOn(machine), domainXml({ disks: ALL_KINDS }));
    expect(await findings(machine)).toEqual([]);
  });

  test("a link in /dev to a file that the policy denies to svirt is no node, as /dev/core of a host with udevd", async () => {
    const machine = await running();
    machine.files.put("/dev/core", "symlink", { target: "/proc/kcore" });
    const instance = nodeOn(machine);
    const { host } = instance;
    const inspectFile: Host["inspectFile"] = (path) => {
      if (path === "/dev/core") throw hostCall("inspect /dev/core", "EACCES: permission denied, fstat");
      return host.inspectFile(path);
    };
    expect((await auditNode({ ...instance, host: { ...host, inspectFile } })).findings).toEqual([]);
  });

  test("a gate to the kernel carries the policy's label", async () => {
    const machine = withContexts(await running());
    relabel(machine, "/dev/kvm", "system_u:object_r:device_t:s0");
    expect(await findings(machine)).toEqual([
      "/dev/kvm should be labelled system_u:object_r:kvm_device_t:s0; run restorecon /dev/kvm",
    ]);
    // The SELinux user of the label does not matter.
    relabel(machine, "/dev/kvm", "unconfined_u:object_r:kvm_device_t:s0");
    expect(await findings(machine)).toEqual([]);
  });

  test.each([
    ["a device node", "/dev/bus/x/001", "block"],
    ["a disk of no domain beside those of guests", "/var/lib/images/old.raw", "file"],
    ["a disk where libvirt keeps them", "/var/lib/libvirt/images/old.raw", "file"],
  ] as const)("no label is left behind by a guest that is gone: %s", async (_, path, type) => {
    const machine = await running();
    machine.files.putFolder(path.slice(0, path.lastIndexOf("/")));
    machine.files.put(path, type, type === "block" ? { node: "8:99" } : {});
    relabel(machine, path, GONE);
    expect(await findings(machine)).toEqual([
      `${path} has the label of a guest that does not use it; run svirt label restore ${path}`,
    ]);
  });

  test("no label is left behind on a disk of a defined domain", async () => {
    const machine = makeMachine();
    machine.files.putFolder("/srv/deep");
    machine.files.put("/srv/deep/a.raw", "file");
    await defineDomain(nodeOn(machine), domainXml({ disks: diskXml("/srv/deep/a.raw", "vda") }));
    relabel(machine, "/srv/deep/a.raw", GONE);
    expect(await findings(machine)).toEqual([
      expect.stringContaining("/srv/deep/a.raw has the label of a guest"),
    ]);
  });

  test("no claim, folder, record or rule of udev is left of a guest that does not run", async () => {
    const machine = await running();
    machine.files.putFolder(RULES);
    const rule = `99-svirt-${UUID}-block-254-16.rules`;
    machine.files.put(`${RULES}/${rule}`, "file");
    machine.files.put(`${RULES}/60-other.rules`, "file");
    expect(await findings(machine)).toEqual([]);
    await destroyDomain(nodeOn(machine), "vm1");
    await reapAll(machine);
    machine.files.put(`${RULES}/${rule}`, "file");
    machine.files.putFolder(`/run/svirt/${UUID}`);
    expect(await findings(machine)).toEqual([
      expect.stringContaining(`/run/svirt/${UUID} is left`),
      `${RULES}/${rule} labels a device for a guest that does not run; remove it`,
    ]);
  });

  test.each([
    ["no JSON", '{"sharing":'],
    ["JSON of another shape", '{"shared":true}'],
  ])("every claim can be read: %s", async (_, text) => {
    const machine = await running();
    const folder = "/var/lib/svirt/claims/file";
    const [key] = nodeOn(machine).host.listFolder(folder);
    const [owner] = nodeOn(machine).host.listFolder(`${folder}/${key}`);
    const path = `${folder}/${key}/${owner}`;
    machine.files.get(path).bytes = new TextEncoder().encode(text);
    expect(await findings(machine)).toEqual([
      `Cannot read the claim ${path}: it is damaged; remedy: End its guest: svirt destroy ${owner}. If it does not run, remove the file.`,
    ]);
    const { code, out } = await runOn(machine, "audit");
    expect([code, out.includes(path)]).toEqual([1, true]);
  });

  test("no QEMU runs that is nobody's", async () => {
    const machine = await running();
    machine.processes.add({ pid: 4243, command: "qemu-system-x86", uid: 64055 });
    expect(await findings(machine)).toEqual([
      "process 4243 is a QEMU that svirt did not start (context: none)",
    ]);
  });
});
