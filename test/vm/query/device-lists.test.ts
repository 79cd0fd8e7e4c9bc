import { describe, expect, test } from "bun:test";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { detachDevice } from "../../../src/vm/hotplug/change-devices.ts";
import { listDisks } from "../../../src/vm/query/disk-list.ts";
import { getLinkState, listInterfaces } from "../../../src/vm/query/interface-list.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { deviceOf } from "../../scenes/hotplug.ts";
import { diskXml, domainXml, errorOf, makeMachine, nodeOn } from "../../scenes/scene.ts";

const MAC = "52:54:00:00:00:01";
const CARD = `<interface type='bridge'><mac address='${MAC}'/><source bridge='br0'/><model type='virtio'/><link state='down'/></interface>`;
const OTHER_CARD =
  "<interface type='bridge'><mac address='52:54:00:00:00:02'/><source bridge='br0'/><model type='virtio'/></interface>";
const SECOND = diskXml("/var/lib/images/private1.raw", "vdb");
const DRIVE = "<disk type='file' device='cdrom'><target dev='sda' bus='sata'/><readonly/></disk>";
const DOMAIN = domainXml({
  disks: diskXml("/var/lib/images/top.qcow2", "vda") + SECOND + DRIVE,
  devices: CARD + OTHER_CARD,
});
const LIVE = { key: "vm1", options: { live: true }, isDryRun: false };

async function definedMachine(): Promise<Machine> {
  const machine = makeMachine();
  machine.taps.addBridge("br0");
  await defineDomain(nodeOn(machine), DOMAIN);
  return machine;
}

/** Returns a machine on which the guest runs without the second disk of its definition. */
async function runningMachine(): Promise<Machine> {
  const machine = await definedMachine();
  await startDomain(nodeOn(machine), DOMAIN);
  await detachDevice(nodeOn(machine), LIVE, deviceOf(SECOND));
  return machine;
}

describe("listDisks()", () => {
  test("returns each disk with its source; an empty drive has none", async () => {
    expect(listDisks(nodeOn(await definedMachine()), "vm1", "running")).toEqual([
      { type: "file", device: "disk", target: "vda", source: "/var/lib/images/top.qcow2" },
      { type: "file", device: "disk", target: "vdb", source: "/var/lib/images/private1.raw" },
      { type: "file", device: "cdrom", target: "sda", source: undefined },
    ]);
  });

  test("returns the disks of the running guest or of its definition", async () => {
    const node = nodeOn(await runningMachine());
    const targets = (form: "running" | "defined"): string[] =>
      listDisks(node, "vm1", form).map(({ target }) => target);
    expect(targets("running")).toEqual(["vda", "sda"]);
    expect(targets("defined")).toEqual(["vda", "vdb", "sda"]);
  });

  test("throws for an unknown domain", async () => {
    const error = await errorOf(Promise.try(() => listDisks(nodeOn(makeMachine()), "vm1", "running")));
    expect(error.kind).toBe("not-found");
  });
});

describe("listInterfaces()", () => {
  test("returns the tap of a running guest, and none of a definition", async () => {
    const node = nodeOn(await runningMachine());
    const [running] = listInterfaces(node, "vm1", "running");
    expect(running).toEqual({ interface: "vnet0", type: "bridge", source: "br0", model: "virtio", mac: MAC });
    const [defined] = listInterfaces(node, "vm1", "defined");
    expect(defined).toMatchObject({ interface: undefined, mac: MAC });
  });
});

describe("getLinkState()", () => {
  test("returns the state that the XML sets, by MAC address or tap", async () => {
    const node = nodeOn(await runningMachine());
    const stateOf = (name: string, form: "running" | "defined"): string | undefined =>
      getLinkState(node, "vm1", { form, name });
    expect(stateOf(MAC, "defined")).toBe("down");
    expect(stateOf("vnet0", "running")).toBe("down");
    expect(stateOf("vnet1", "running")).toBeUndefined();
    expect((await errorOf(Promise.try(() => stateOf("vnet0", "defined")))).kind).toBe("not-found");
  });
});
