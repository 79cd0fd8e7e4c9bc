import { describe, expect, test } from "bun:test";
import { parseDomain } from "../../../src/domain/document.ts";
import { readDefinition } from "../../../src/state/definitions.ts";
import type { Ask } from "../../../src/vm/change/change-domain.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { attachDevice, detachDevice, updateDevice } from "../../../src/vm/hotplug/change-devices.ts";
import { formatLive } from "../../../src/vm/query/live-xml.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { cdXml, deviceOf, machineWithDisks, recordOf, SECOND, wholeState } from "../../scenes/hotplug.ts";
import {
  diskXml,
  domainXml,
  errorOf,
  labelOf,
  makeMachine,
  nodeOn,
  ORIGINAL,
  staticLabel,
  UUID,
} from "../../scenes/scene.ts";

const ASK: Ask = { key: "vm1", options: {}, isDryRun: false };
const IMAGES = "/var/lib/images";
const OTHER = "22222222-2222-4333-8444-000000000002";

const attach = (machine: Machine, xml: string) => attachDevice(nodeOn(machine), ASK, deviceOf(xml));
const detach = (machine: Machine, xml: string) => detachDevice(nodeOn(machine), ASK, deviceOf(xml));
const targets = (machine: Machine): string[] =>
  parseDomain(new TextEncoder().encode(recordOf(machine).xml)).devices.disks.map(({ target }) => target.dev);

/** Returns the error of an attach that must fail. Expects machine, QEMU and record to be unchanged. */
async function failedAttach(machine: Machine, xml: string) {
  const before = wholeState(machine);
  const error = await errorOf(attach(machine, xml));
  expect(wholeState(machine)).toEqual(before);
  return error;
}

describe("attachDevice()", () => {
  test("labels an image and what is below it for the guest, and gives both back at detachDevice()", async () => {
    const machine = await machineWithDisks();
    const before = wholeState(machine);
    const own = labelOf(machine, `${IMAGES}/private1.raw`);
    await attach(machine, SECOND);
    expect(labelOf(machine, `${IMAGES}/top.qcow2`)).toBe(own);
    expect(labelOf(machine, `${IMAGES}/base.raw`)).toBe("system_u:object_r:virt_content_t:s0");
    expect(targets(machine)).toContain("vdb");
    await detach(machine, SECOND);
    expect(wholeState(machine)).toEqual(before);
    expect(labelOf(machine, `${IMAGES}/top.qcow2`)).toBe(ORIGINAL);
  });

  test("leaves nothing of a disk with limits in the record once that is detached", async () => {
    const machine = await machineWithDisks();
    const before = wholeState(machine);
    const limited = SECOND.replace("</disk>", "<iotune><total_iops_sec>100</total_iops_sec></iotune></disk>");
    await attach(machine, limited);
    expect(recordOf(machine).steps.some((step) => step.do === "plug")).toBe(true);
    await detach(machine, limited);
    expect(wholeState(machine)).toEqual(before);
  });

  test("holds the file against every other guest while it is attached, and no longer", async () => {
    const machine = await machineWithDisks();
    await attach(machine, SECOND);
    const xml = domainXml({ name: "vm2", uuid: OTHER, disks: diskXml(`${IMAGES}/top.qcow2`, "vda") });
    expect((await errorOf(startDomain(nodeOn(machine), xml))).kind).toBe("in-use");
    await detach(machine, SECOND);
    expect((await startDomain(nodeOn(machine), xml)).did).toBe(true);
    expect((await failedAttach(machine, SECOND)).kind).toBe("in-use");
  });

  test.each(["add-fd", "blockdev-add", "device_add"])(
    "takes all back when QEMU refuses %s",
    async (command) => {
      const machine = await machineWithDisks();
      machine.qemu = { refuses: command };
      const error = await failedAttach(machine, SECOND);
      expect(error.message).toBe("internal error: unable to execute QEMU command: as the test wants it");
      expect(labelOf(machine, `${IMAGES}/top.qcow2`)).toBe(ORIGINAL);
    },
  );

  test("leaves a file that the guest has already as it is, when it comes and when it goes", async () => {
    const machine = await machineWithDisks(diskXml(`${IMAGES}/shared.raw`, "vdb", "<shareable/>"));
    const label = labelOf(machine, `${IMAGES}/shared.raw`);
    const again = diskXml(`${IMAGES}/shared.raw`, "vdc", "<shareable/>");
    await attach(machine, again);
    await detach(machine, again);
    expect(labelOf(machine, `${IMAGES}/shared.raw`)).toBe(label);
    expect((await failedAttach(machine, diskXml(`${IMAGES}/shared.raw`, "vdc"))).kind).toBe("in-use");
  });

  test.each([
    ["a target that is taken", diskXml(`${IMAGES}/private2.raw`, "vda"), "target vda already exists"],
    ["a bus that is not for it", SECOND.replace("vdb", "sdb").replace("virtio", "sata"), "disk bus 'sata'"],
    ["a missing file", diskXml(`${IMAGES}/none.raw`, "vdb"), "No such file or directory"],
    ["a network for a guest without", "<interface type='user'/>", "no network"],
  ])("refuses %s", async (_, xml, why) => {
    const machine = await machineWithDisks();
    machine.files.get("/etc/selinux/svirt/contexts/virtual_domain_context").bytes = new TextEncoder().encode(
      ["svirt_t", "svirt_tcg_t", "svirt_net_t", "svirt_tcg_net_t"]
        .map((type) => `system_u:system_r:${type}:s0\n`)
        .join(""),
    );
    if (why === "no network") expect((await failedAttach(machine, xml)).kind).toBe("denied");
    else expect((await failedAttach(machine, xml)).message).toContain(why);
  });

  test("gives interfaces and sources of randomness, and takes away the one that is meant", async () => {
    const machine = await machineWithDisks(
      "<interface type='user'><mac address='52:54:00:00:00:01'/></interface>",
    );
    const before = wholeState(machine);
    const second = "<interface type='user'><mac address='52:54:00:00:00:02'/></interface>";
    const rng = "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>";
    await attach(machine, second);
    await attach(machine, rng);
    const devices = machine.processes.qemuOf(UUID)?.devices;
    expect([devices?.has("net1"), devices?.has("rng0")]).toEqual([true, true]);
    await detach(machine, "<interface type='user'><mac address='52:54:00:00:00:01'/></interface>");
    expect([devices?.has("net0"), devices?.has("net1")]).toEqual([false, true]);
    await attach(machine, "<interface type='user'><mac address='52:54:00:00:00:01'/></interface>");
    await detach(machine, second);
    await detach(machine, rng);
    expect(wholeState(machine).filter((line) => !/other|device net|<domain|steps/.test(line))).toEqual(
      before.filter((line) => !/other|device net|<domain|steps/.test(line)),
    );
  });
});

test.each([
  "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>",
  "<rng model='virtio'><backend model='random'>/dev/urandom</backend><address type='pci' domain='0x0000' bus='0x00' slot='0x08' function='0x0'/></rng>",
  "<hostdev mode='subsystem' type='scsi'><source protocol='iscsi' name='iqn.1992-01.com.example'><host name='example.org' port='3260'/></source></hostdev>",
])("a device goes by the XML that it came with, and by that of dumpxml: %s", async (xml) => {
  const machine = makeMachine();
  const devices = "<controller type='scsi' model='virtio-scsi' index='0'/>";
  await startDomain(nodeOn(machine), domainXml({ devices }));
  const before = wholeState(machine);
  await attach(machine, xml);
  await detach(machine, xml);
  expect(wholeState(machine)).toEqual(before);
  await attach(machine, xml);
  const [shown = ""] =
    /<(rng|hostdev)[\s>].*?<\/\1>/s.exec(formatLive(nodeOn(machine), recordOf(machine))) ?? [];
  await detach(machine, shown);
  expect(wholeState(machine)).toEqual(before);
});

describe("what would contradict the rest of the guest's XML is refused, so that its record can be read again", () => {
  const OWN_LABEL =
    "<seclabel model='selinux' relabel='yes'><label>system_u:object_r:c_t:s0</label></seclabel>";
  const labelled = (xml: string): string => xml.replace(/(<source [^>]*)\/>/, `$1>${OWN_LABEL}</source>`);

  async function machineWithoutLabels(): Promise<Machine> {
    const machine = makeMachine();
    const disks = diskXml(`${IMAGES}/private1.raw`, "vda") + cdXml(`${IMAGES}/install.iso`);
    await startDomain(nodeOn(machine), domainXml({ disks, seclabel: staticLabel("s0:c1,c2", "no") }));
    return machine;
  }

  test("a disk with a label of its own where nothing is labelled", async () => {
    const machine = await machineWithoutLabels();
    const error = await failedAttach(machine, labelled(diskXml(`${IMAGES}/private2.raw`, "vdb")));
    expect(error.message).toContain("label overrides require relabeling to be enabled at the domain level");
    expect(targets(machine)).toEqual(["vda", "hdc"]);
  });

  test("a disk to boot from where the machine says what it boots from", async () => {
    const machine = await machineWithDisks();
    const error = await failedAttach(machine, diskXml(`${IMAGES}/private2.raw`, "vdb", "<boot order='1'/>"));
    expect(error.message).toContain("it cannot be combined with <boot> in <os>");
  });

  test("a medium with a label of its own", async () => {
    const machine = await machineWithoutLabels();
    const before = wholeState(machine);
    const device = deviceOf(labelled(cdXml(`${IMAGES}/base.raw`)));
    const error = await errorOf(updateDevice(nodeOn(machine), ASK, { device, force: false }));
    expect(error.message).toContain("label overrides require relabeling to be enabled at the domain level");
    expect(wholeState(machine)).toEqual(before);
  });
});

test("a guest's display keeps its port in the record when a device is attached", async () => {
  const machine = makeMachine();
  await startDomain(nodeOn(machine), domainXml({ devices: "<graphics type='vnc' autoport='yes'/>" }));
  const portOf = (xml: string): string | undefined => /<graphics type='vnc' port='(-?\d+)'/.exec(xml)?.[1];
  const port = portOf(recordOf(machine).xml);
  expect(Number(port)).toBeGreaterThanOrEqual(5900);
  await attach(machine, SECOND);
  expect(portOf(recordOf(machine).xml)).toBe(port);
  expect(portOf(formatLive(nodeOn(machine), recordOf(machine)))).toBe(port);
});

test("updateDevice() pulls a cable out, and changes nothing else of an interface", async () => {
  const machine = makeMachine();
  const card = (more: string) =>
    `<interface type='user'><mac address='52:54:00:00:00:01'/><model type='virtio'/>${more}</interface>`;
  await startDomain(nodeOn(machine), domainXml({ devices: card("") }));
  const update = (xml: string) => updateDevice(nodeOn(machine), ASK, { device: deviceOf(xml), force: false });
  await update(card("<link state='down'/>"));
  expect(recordOf(machine).xml).toContain("<link state='down'/>");
  const error = await errorOf(update(card("").replace("virtio", "e1000")));
  expect(error.message).toContain("cannot modify field 'model'");
});

test("two devices that come to a definition at once both come", async () => {
  const machine = makeMachine();
  await defineDomain(nodeOn(machine), domainXml());
  const ask: Ask = { key: "vm1", options: { config: true }, isDryRun: false };
  const disks = ["vdb", "vdc"].map((target) => deviceOf(diskXml(`${IMAGES}/${target}.raw`, target)));
  await Promise.all(disks.map((disk) => attachDevice(nodeOn(machine), ask, disk)));
  const { xml = "" } = readDefinition(nodeOn(machine), "vm1") ?? {};
  expect(xml.match(/vd[bc]\.raw/g)).toEqual(["vdb.raw", "vdc.raw"]);
});
