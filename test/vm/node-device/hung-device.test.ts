import { beforeEach, describe, expect, test } from "bun:test";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { attachDevice } from "../../../src/vm/hotplug/change-devices.ts";
import { detachDevice, reattachDevice, resetDevice } from "../../../src/vm/node-device/detach.ts";
import { recoverAll } from "../../../src/vm/recover/recover.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { configOf } from "../../scenes/host-devices.ts";
import { deviceOf } from "../../scenes/hotplug.ts";
import { during, pciFolder, putPciDevices } from "../../scenes/pci.ts";
import { domainXml, errorOf, makeMachine, nodeOn, OTHER, putText, UUID } from "../../scenes/scene.ts";
import { beStruck, type Work, withoutInodes } from "../../scenes/strikes.ts";

// A driver whose unbinding waits for a program: vfio_unregister_group_dev() of Linux, and device_lock() for
// all that follows.
const ADDRESS = "0000:06:00.0";
const NAME = "pci_0000_06_00_0";
const hostdev = (managed: string): string =>
  `<hostdev mode='subsystem' type='pci' managed='${managed}'><source><address bus='6' slot='0' function='0'/></source></hostdev>`;
const MANAGED = hostdev("yes");

let machine: Machine;

function makeHost(driver = "e1000e"): Machine {
  const made = makeMachine();
  made.files.putFolder("/sys/bus/pci/drivers/e1000e");
  putPciDevices(made, [{ name: ADDRESS, group: "12", driver, match: "e1000e" }]);
  made.files.put(`${pciFolder(ADDRESS)}/config`, "file", { bytes: configOf({}) });
  return made;
}

beforeEach(() => {
  machine = makeHost();
});

const guest = (devices = ""): Uint8Array => domainXml({ name: "vm2", uuid: OTHER, devices });
const detach: Work = async (node) => await detachDevice(node, NAME);
const reattach: Work = async (node) => await reattachDevice(node, NAME);

/** Expects the work to end with an error about the program, without a lock for which others wait. */
async function waited(work: Work, seconds = 30): Promise<void> {
  const { kind, message, remedy } = await errorOf(work(nodeOn(machine)));
  expect([kind, message, remedy]).toEqual([
    "timeout",
    expect.stringContaining(`has not finished within ${seconds} seconds; a program still uses the device`),
    expect.stringContaining(`End the programs that use ${ADDRESS}`),
  ]);
  expect(machine.violations).toEqual([]);
}

/** Expects the work to end at once, since a process of an earlier command waits for the device. */
async function refused(work: Work): Promise<void> {
  const before = nodeOn(machine).host.nowMs();
  const { kind, message } = await errorOf(work(nodeOn(machine)));
  expect([kind, message]).toEqual([
    "timeout",
    expect.stringContaining("a process of svirt (4000) still waits for this device"),
  ]);
  expect(nodeOn(machine).host.nowMs() - before).toBeLessThan(1000);
  expect(machine.violations).toEqual([]);
}

describe("a device that a program uses", () => {
  test.each([
    ["detached", "vfio-pci", detach],
    ["given back", "e1000e", reattach],
  ])("is %s by the next command after the program has ended", async (_, driver, next) => {
    machine.pci.use(ADDRESS);
    await waited(detach);
    for (const again of [detach, reattach]) await refused(again);
    machine.pci.endUse(ADDRESS);
    await next(nodeOn(machine));
    expect(machine.pci.driverOf(ADDRESS)).toBe(driver);
  });

  test("is given back by the next command if VFIO has it", async () => {
    machine = makeHost("vfio-pci");
    machine.pci.use(ADDRESS);
    await waited(reattach);
    machine.pci.endUse(ADDRESS);
    await reattach(nodeOn(machine));
    expect(machine.pci.driverOf(ADDRESS)).toBe("e1000e");
  });

  test("is detached by the next command after a kill", async () => {
    machine.pci.use(ADDRESS);
    // The calls before are those of locks and of the record, and in the second one the return of the device.
    await beStruck(machine, detach, { at: 5, moment: "before", how: "crash" });
    await beStruck(machine, detach, { at: 7, moment: "after", how: "crash" });
    await refused(detach);
    machine.pci.endUse(ADDRESS);
    await detach(nodeOn(machine));
    expect(machine.pci.driverOf(ADDRESS)).toBe("vfio-pci");
  });

  test("is not given to a guest if another program unbinds it", async () => {
    machine.pci.use(ADDRESS);
    machine.pci.keepsWaiting(`${pciFolder(ADDRESS)}/driver/unbind`, ADDRESS);
    await waited(async (node) => await startDomain(node, guest(MANAGED)), 2);
  });

  test("is not given to a guest, and one without it starts meanwhile", async () => {
    machine.pci.use(ADDRESS);
    await waited(detach);
    const before = snapshot(machine);
    await refused(async (node) => await startDomain(node, guest(MANAGED)));
    expect(snapshot(machine)).toEqual(before);
    await startDomain(nodeOn(machine), guest());
    machine.pci.endUse(ADDRESS);
    await attachDevice(
      nodeOn(machine),
      { key: "vm2", options: {}, isDryRun: false },
      deviceOf(hostdev("yes").replace("<address ", "<address domain='0' ")),
    );
    expect(machine.pci.driverOf(ADDRESS)).toBe("vfio-pci");
  });
});

describe("while a device is changed", () => {
  const reset: Work = async (node) => await resetDevice(node, NAME);

  test.each([
    ["detach", detach, "e1000e", "yes"],
    ["re-attach", reattach, "vfio-pci", "no"],
    ["re-attach", reattach, "vfio-pci", "yes"],
    ["reset", reset, "vfio-pci", "no"],
  ] as const)(
    "by %s, other guests start, and one with the device does not",
    async (_, work, ...[driver, managed]) => {
      machine = makeHost(driver);
      putText(machine, `${pciFolder(ADDRESS)}/reset`, "");
      machine.pci.canReset = true;
      await during(machine, work, async () => {
        const { kind, message } = await errorOf(startDomain(nodeOn(machine), guest(hostdev(managed))));
        expect([kind, message]).toEqual([
          "in-use",
          `Cannot use ${ADDRESS}: another svirt is changing its driver or resetting it`,
        ]);
        await startDomain(nodeOn(machine), guest());
        await destroyDomain(nodeOn(machine), "vm2");
      });
      expect(machine.violations).toEqual([]);
      await startDomain(nodeOn(machine), guest(MANAGED));
    },
  );

  test("a guest with a device behind it does not start", async () => {
    const usb = `${pciFolder(ADDRESS)}/usb1/1-1`;
    machine.files.putFolder("/sys/dev/char");
    machine.files.putFolder(usb);
    machine.files.put("/sys/dev/char/21:1", "symlink", { target: usb });
    putText(machine, "/sys/bus/scsi/devices/2:0:0:0/scsi_generic/sg1/dev", "21:1\n");
    machine.files
      .put("/dev/sg1", "character", { node: "21:1", mode: 0o600 })
      .xattrs.set("security.selinux", "system_u:object_r:scsi_generic_device_t:s0");
    const devices =
      "<controller type='scsi' model='virtio-scsi'/><hostdev mode='subsystem' type='scsi'><source><adapter name='scsi_host2'/><address bus='0' target='0' unit='0'/></source></hostdev>";
    await during(machine, detach, async () => {
      expect((await errorOf(startDomain(nodeOn(machine), guest(devices)))).kind).toBe("in-use");
    });
  });
});

test("a start that waits for a program is undone once that has ended, and keeps the device for itself until then", async () => {
  const before = withoutInodes(machine);
  machine.pci.use(ADDRESS);
  const xml = domainXml({ devices: MANAGED });
  const { kind, message } = await errorOf(startDomain(nodeOn(machine), xml));
  expect([kind, message]).toEqual(["timeout", expect.stringContaining("undoing the start failed as well")]);
  expect((await recoverAll(nodeOn(machine), { askMs: 2000 })).errors.map((error) => error.kind)).toEqual([
    "timeout",
  ]);
  expect((await errorOf(detach(nodeOn(machine)))).kind).toBe("in-use");
  machine.pci.endUse(ADDRESS);
  expect((await recoverAll(nodeOn(machine))).errors).toEqual([]);
  expect([machine.pci.driverOf(ADDRESS), machine.violations]).toEqual(["e1000e", []]);
  expect(withoutInodes(machine)).toEqual(before);
});

test("the end of a guest that waits for a program keeps the device claimed, and the next call finishes it", async () => {
  const before = withoutInodes(machine);
  await startDomain(nodeOn(machine), domainXml({ devices: MANAGED }));
  machine.pci.use(ADDRESS);
  expect((await errorOf(destroyDomain(nodeOn(machine), "vm1"))).kind).toBe("timeout");
  expect((await errorOf(reattach(nodeOn(machine)))).message).toContain(`the guest ${UUID} uses it`);
  machine.pci.endUse(ADDRESS);
  expect((await recoverAll(nodeOn(machine))).errors).toEqual([]);
  expect([machine.pci.driverOf(ADDRESS), machine.violations]).toEqual(["e1000e", []]);
  expect(withoutInodes(machine)).toEqual(before);
});

test("a device that a guest returns goes to no other guest meanwhile", async () => {
  await startDomain(nodeOn(machine), domainXml({ devices: MANAGED }));
  const ends: Work = async (node) => void (await destroyDomain(node, "vm1"));
  await during(machine, ends, async () => {
    for (const managed of ["yes", "no"]) {
      const { kind, message } = await errorOf(startDomain(nodeOn(machine), guest(hostdev(managed))));
      expect([managed, kind, message]).toEqual([
        managed,
        "in-use",
        `Cannot use ${ADDRESS}: the guest ${UUID} uses it, or is taking or returning it`,
      ]);
    }
  });
  expect([machine.pci.driverOf(ADDRESS), machine.violations]).toEqual(["e1000e", []]);
  await startDomain(nodeOn(machine), guest(MANAGED));
});

test("a device whose virtual function a running guest has is not taken with it", async () => {
  const FUNCTION = "0000:06:10.0";
  putPciDevices(machine, [{ name: FUNCTION, group: "13", driver: "vfio-pci", match: "igbvf" }]);
  machine.files.put(`${pciFolder(ADDRESS)}/virtfn0`, "symlink", { target: pciFolder(FUNCTION) });
  const part = hostdev("no").replace("slot='0'", "slot='16'");
  await startDomain(nodeOn(machine), guest(part));
  const error = await errorOf(startDomain(nodeOn(machine), domainXml({ devices: MANAGED })));
  expect([error.kind, error.message]).toEqual([
    "in-use",
    expect.stringContaining(`the guest ${OTHER} uses it`),
  ]);
  expect(machine.pci.driverOf(ADDRESS)).toBe("e1000e");
});
