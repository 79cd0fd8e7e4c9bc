import { expect, test } from "bun:test";
import type { Machine } from "../../../memory-host/machine.ts";
import { diskXml, domainXml, makeMachine } from "../../../scenes/scene.ts";
import { runOn } from "../../in-memory.ts";

const DRIVE = "<disk type='file' device='cdrom'><target dev='sda' bus='sata'/><readonly/></disk>";
const NETWORK =
  "<disk type='network' device='disk'><driver name='qemu' type='raw'/><source protocol='nbd' name='export'><host name='10.0.0.1' port='10809'/></source><target dev='vdb' bus='virtio'/></disk>";
const DISKS = diskXml("/var/lib/images/top.qcow2", "vda") + NETWORK + DRIVE;

async function definedMachine(): Promise<Machine> {
  const machine = makeMachine();
  machine.files.put("/vm.xml", "file", { bytes: domainXml({ disks: DISKS }) });
  expect((await runOn(machine, "define", "/vm.xml")).err).toBe("");
  return machine;
}

// Layouts of libvirt's tools/virsh-domain-monitor.c and vsh-table.c: 3 dashes and its width for each column.

test("domblklist shows targets and sources, and - for an empty drive", async () => {
  expect((await runOn(await definedMachine(), "domblklist", "vm1")).out).toBe(
    ` Target   Source
-------------------------------------
 vda      /var/lib/images/top.qcow2
 vdb      export
 sda      -

`,
  );
});

test("domblklist --details shows the type and the device as well", async () => {
  expect((await runOn(await definedMachine(), "domblklist", "vm1", "--details")).out).toBe(
    ` Type      Device   Target   Source
--------------------------------------------------------
 file      disk     vda      /var/lib/images/top.qcow2
 network   disk     vdb      export
 file      cdrom    sda      -

`,
  );
});

test("domblklist --json has the same fields", async () => {
  expect(JSON.parse((await runOn(await definedMachine(), "domblklist", "vm1", "--json")).out)).toEqual([
    { type: "file", device: "disk", target: "vda", source: "/var/lib/images/top.qcow2" },
    { type: "network", device: "disk", target: "vdb", source: "export" },
    { type: "file", device: "cdrom", target: "sda", source: "-" },
  ]);
});
