// In turn: it takes seconds of a processor.
import { beforeEach, describe, expect, test } from "bun:test";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { attachDevice, detachDevice } from "../../../src/vm/hotplug/change-devices.ts";
import { formatLive } from "../../../src/vm/query/live-xml.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import type { PciOptions } from "../../memory-host/pci-bus.ts";
import { deviceOf, recordOf, wholeState } from "../../scenes/hotplug.ts";
import { putPciDevices } from "../../scenes/pci.ts";
import {
  diskXml,
  domainXml,
  errorOf,
  labelOf,
  makeMachine,
  nodeOn,
  putNode,
  putText,
  sweepAll,
  UUID,
} from "../../scenes/scene.ts";
import { leavesNothing, strikeEverywhere, type Work, withoutInodes } from "../../scenes/strikes.ts";

const TIMEOUT_MS = 120_000;
const ASK = { key: "vm1", options: {}, isDryRun: false };
const NAME = "0000:06:00.0";
const CARD: PciOptions = { name: NAME, group: "12", driver: "e1000e", match: "e1000e" };
const FOLDER = `/run/svirt/${UUID}/guest/${NAME}`;
const SG = "/dev/sg1";
const USB_NODE = "/dev/bus/usb/001/002";

const pci = (managed = "yes", bus = 6): string =>
  `<hostdev mode='subsystem' type='pci' managed='${managed}'><source><address domain='0' bus='${bus}' slot='0' function='0'/></source></hostdev>`;
const USB =
  "<hostdev mode='subsystem' type='usb'><source><vendor id='0x0627'/><product id='0x0001'/></source></hostdev>";
const SCSI =
  "<hostdev mode='subsystem' type='scsi'><source><adapter name='scsi_host2'/><address bus='0' target='0' unit='0'/></source></hostdev>";

let machine: Machine;

const CONTROLLER = "<controller type='scsi' model='virtio-scsi'/>";

async function withGuest(devices = "", scsi = CONTROLLER): Promise<Machine> {
  const made = makeMachine();
  made.files.putFolder("/sys/bus/pci/drivers/e1000e");
  putPciDevices(made, [CARD, { name: "0000:07:00.0", group: "13", driver: "vfio-pci" }]);
  for (const [field, text] of [
    ["busnum", "1"],
    ["devnum", "2"],
    ["idVendor", "0627"],
    ["idProduct", "0001"],
  ])
    putText(made, `/sys/bus/usb/devices/1-1/${field}`, `${text}\n`);
  putNode(made, USB_NODE, { node: "189:1", type: "usb_device_t" });
  putText(made, "/sys/bus/scsi/devices/2:0:0:0/scsi_generic/sg1/dev", "21:1\n");
  putNode(made, SG, { node: "21:1", type: "scsi_generic_device_t" });
  const disks = diskXml("/var/lib/images/private1.raw", "vda");
  await startDomain(nodeOn(made), domainXml({ disks, devices: scsi + devices }));
  return made;
}

const attach =
  (xml: string): Work =>
  (node) =>
    attachDevice(node, ASK, deviceOf(xml));
const detach =
  (xml: string): Work =>
  (node) =>
    detachDevice(node, ASK, deviceOf(xml));

function limitOf(host: Machine): string {
  const pid = host.processes.qemuOf(UUID)?.pid ?? 0;
  return new TextDecoder().decode(host.files.get(`/proc/${pid}/limits`).bytes).split(/ +/)[3] ?? "";
}

beforeEach(async () => {
  machine = await withGuest();
});

test("a device on USB comes beside one on PCI", async () => {
  machine = await withGuest(pci() + USB);
  await detach(USB)(nodeOn(machine));
  await attach(USB)(nodeOn(machine));
  expect(formatLive(nodeOn(machine), recordOf(machine))).toContain("<alias name='hostdev1'/>");
});

test("the running guest's XML calls a device of the host what QEMU calls it, whichever others have gone", async () => {
  await attach(pci())(nodeOn(machine));
  await attach(pci("no", 7))(nodeOn(machine));
  await attach(SCSI)(nodeOn(machine));
  await detach(pci())(nodeOn(machine));
  const xml = formatLive(nodeOn(machine), recordOf(machine));
  expect([...xml.matchAll(/<alias name='(hostdev\d)'\/>/g)].map(([, name]) => name)).toEqual([
    "hostdev1",
    "hostdev2",
  ]);
});

describe("a PCI device comes to a running guest", () => {
  test("taken from its driver, labelled before QEMU opens it, and found in the guest's own folder", async () => {
    await attach(pci())(nodeOn(machine));
    const image = recordOf(machine).label.imageLabel ?? "";
    expect(machine.pci.driverOf(NAME)).toBe("vfio-pci");
    expect([labelOf(machine, "/dev/vfio/12"), labelOf(machine, "/dev/vfio/vfio")]).toEqual([
      image,
      "system_u:object_r:svirt_image_t:s0",
    ]);
    expect(machine.files.find(`${FOLDER}/iommu_group`, false)?.inode.target).toBe(
      "/sys/kernel/iommu_groups/12",
    );
    expect(machine.files.get("/dev/vfio/12").acl.size).toBe(0);
    const { steps, xml } = recordOf(machine);
    const plug = steps.find((step) => step.do === "plug");
    expect(plug?.do === "plug" ? plug.commands : []).toMatchObject([
      { execute: "device_add", arguments: { driver: "vfio-pci", id: "hostdev0", sysfsdev: FOLDER } },
    ]);
    expect(xml).toContain("type='pci'");
    // 64 MiB of memory, plus 1 GiB. qemuDomainGetMemLockLimitBytes() of libvirt
    expect(limitOf(machine)).toBe(String((64 + 1024) * 1024 * 1024));
  });

  test("and goes again: then all is as it was", async () => {
    const before = wholeState(machine);
    await attach(pci())(nodeOn(machine));
    await detach(pci())(nodeOn(machine));
    expect(wholeState(machine)).toEqual(before);
    expect(machine.pci.driverOf(NAME)).toBe("e1000e");
    expect(machine.violations).toEqual([]);
  });

  test("beside another one: what both need stays until the last has gone", async () => {
    const before = wholeState(machine);
    await attach(pci())(nodeOn(machine));
    const one = wholeState(machine);
    await attach(pci("no", 7))(nodeOn(machine));
    await detach(pci("no", 7))(nodeOn(machine));
    expect(wholeState(machine)).toEqual(one);
    await detach(pci())(nodeOn(machine));
    expect(wholeState(machine)).toEqual(before);
  });

  test("unless QEMU refuses it: then it is given back", async () => {
    const before = wholeState(machine);
    machine.qemu = { refuses: "device_add" };
    expect((await errorOf(attach(pci())(nodeOn(machine)))).message).toContain("as the test wants it");
    expect(wholeState(machine)).toEqual(before);
  });

  test("a guest that does not let go keeps it, and any later call finishes", async () => {
    const before = wholeState(machine);
    await attach(pci())(nodeOn(machine));
    machine.qemu = { keepsDevices: true };
    expect(await errorOf(detach(pci())(nodeOn(machine)))).toMatchObject({ kind: "timeout" });
    expect(machine.pci.driverOf(NAME)).toBe("vfio-pci");
    expect(labelOf(machine, "/dev/vfio/12")).toBe(recordOf(machine).label.imageLabel ?? "");
    machine.processes.qemuOf(UUID)?.devices?.letGo("hostdev0");
    await sweepAll(machine);
    expect(wholeState(machine)).toEqual(before);
  });

  test("nothing of it is left when its guest ends", async () => {
    await attach(pci())(nodeOn(machine));
    await destroyDomain(nodeOn(machine), "vm1");
    const other = await withGuest();
    await destroyDomain(nodeOn(other), "vm1");
    expect(withoutInodes(machine)).toEqual(withoutInodes(other));
  });

  test("one that the guest was started with goes in the same way", async () => {
    machine = await withGuest(pci());
    await detach(pci())(nodeOn(machine));
    expect(machine.pci.driverOf(NAME)).toBe("e1000e");
    expect(machine.files.find(FOLDER)).toBeUndefined();
    expect(labelOf(machine, "/dev/vfio/vfio")).toBe("system_u:object_r:vfio_device_t:s0");
    expect(recordOf(machine).xml).not.toContain("<hostdev");
    const left = recordOf(machine).steps.map((step) => step.do);
    expect(left.filter((what) => ["bind-vfio", "make-link", "set-memlock"].includes(what))).toEqual([]);
    await destroyDomain(nodeOn(machine), "vm1");
    expect(machine.pci.driverOf(NAME)).toBe("e1000e");
  });

  test("a dry run says what it would take, and takes nothing", async () => {
    const before = snapshot(machine);
    const { steps } = await attachDevice(nodeOn(machine), { ...ASK, isDryRun: true }, deviceOf(pci()));
    expect(steps.map((step) => step.do)).toEqual([
      "reserve",
      "bind-vfio",
      "reserve",
      "reserve",
      "set-label",
      "set-label",
      "make-folder",
      "make-link",
      "grant",
      "grant",
      "set-memlock",
      "plug",
      "revoke",
      "revoke",
    ]);
    expect(snapshot(machine)).toEqual(before);
  });
});

describe("a SCSI device", () => {
  test("brings the controller that the guest lacks", async () => {
    const without = await withGuest("", "");
    await attach(SCSI)(nodeOn(without));
    expect(recordOf(without).xml).toContain("<controller type='scsi' index='0' model='lsilogic'>");
    const plugs = recordOf(without).steps.filter((step) => step.do === "plug");
    expect(plugs.map(({ commands }) => commands.at(-1)?.arguments?.["id"])).toEqual(["scsi0", "hostdev0"]);
  });

  test("comes by its node's own name, and goes", async () => {
    const before = wholeState(machine);
    await attach(SCSI)(nodeOn(machine));
    expect(labelOf(machine, SG)).toBe(recordOf(machine).label.imageLabel ?? "");
    expect(machine.files.get(SG).acl.size).toBe(0);
    const plug = recordOf(machine).steps.find((step) => step.do === "plug");
    expect(plug?.do === "plug" ? plug.commands : []).toMatchObject([
      { execute: "blockdev-add", arguments: { driver: "host_device", filename: SG } },
      { execute: "device_add", arguments: { driver: "scsi-generic", id: "hostdev0" } },
    ]);
    await detach(SCSI)(nodeOn(machine));
    expect(wholeState(machine)).toEqual(before);
  });

  test("that the guest was started with stays", async () => {
    machine = await withGuest(SCSI);
    expect(await errorOf(detach(SCSI)(nodeOn(machine)))).toMatchObject({ kind: "unsupported" });
  });
});

describe("a USB device", () => {
  // The policy's contexts file has no domain for guests that search for devices, so any guest may have this
  // device.
  test("comes as an open descriptor, and goes", async () => {
    const before = wholeState(machine);
    await attach(USB)(nodeOn(machine));
    expect(labelOf(machine, USB_NODE)).toBe(recordOf(machine).label.imageLabel ?? "");
    expect(recordOf(machine).xml).toContain("<address bus='1' device='2'/>");
    const plug = recordOf(machine).steps.find((step) => step.do === "plug");
    expect(
      plug?.do === "plug" ? [plug.files.length, plug.commands[0]?.arguments?.["hostdevice"]] : [],
    ).toEqual([1, expect.stringMatching(/^\/dev\/fdset\/\d+$/)]);
    await detach(USB)(nodeOn(machine));
    expect(wholeState(machine)).toEqual(before);
  });

  test("that a guest was started with goes", async () => {
    const bare = wholeState(machine);
    machine = await withGuest(USB);
    await detach(USB)(nodeOn(machine));
    expect(labelOf(machine, USB_NODE)).toBe("system_u:object_r:usb_device_t:s0");
    expect(machine.processes.qemuOf(UUID)?.devices?.list().toSorted()).toEqual(
      bare.filter((line) => /^(?:set|node|device|other|name) /.test(line)),
    );
  });

  test("does not come to a guest whose domain may not look for it", async () => {
    const lines = [
      "svirt_t",
      "svirt_tcg_t",
      "svirt_net_t",
      "svirt_tcg_net_t",
      "svirt_usb_t",
      "svirt_tcg_usb_t",
    ];
    const text = lines.map((type) => `system_u:system_r:${type}:s0\n`).join("");
    putText(machine, "/etc/selinux/svirt/contexts/virtual_domain_context", text);
    const before = wholeState(machine);
    expect(await errorOf(attach(USB)(nodeOn(machine)))).toMatchObject({ kind: "denied" });
    expect(wholeState(machine)).toEqual(before);
  });
});

test("what the guest has already does not come again", async () => {
  await attach(pci())(nodeOn(machine));
  expect((await errorOf(attach(pci())(nodeOn(machine)))).kind).toBe("wrong-state");
});

describe.each([
  ["a PCI device", pci()],
  ["a SCSI device", SCSI],
  ["a USB device", USB],
])("%s, killed anywhere", (_, xml) => {
  const withIt = async (): Promise<Machine> => {
    const made = await withGuest();
    await attach(xml)(nodeOn(made));
    return made;
  };
  const end: Work = (node) => destroyDomain(node, "vm1");

  test(
    "in coming or going: it has come or it has not, and nothing between",
    async () => {
      const [without, having] = [wholeState(await withGuest()), wholeState(await withIt())];
      const subjects = [
        { name: "attach", prepare: () => withGuest(), work: attach(xml) },
        { name: "detach", prepare: withIt, work: detach(xml) },
      ];
      for (const subject of subjects) {
        await strikeEverywhere(subject, "crash", async (struck, place) => {
          await sweepAll(struck);
          const now = wholeState(struck);
          const wanted = recordOf(struck).xml.includes("<hostdev") ? having : without;
          expect([place, ...now]).toEqual([place, ...wanted]);
        });
      }
    },
    TIMEOUT_MS,
  );

  test(
    "in its guest's end",
    async () => {
      const other = await withGuest();
      await end(nodeOn(other));
      await leavesNothing({ name: "end", prepare: withIt, work: end }, { clean: withoutInodes(other), end });
    },
    TIMEOUT_MS,
  );
});
