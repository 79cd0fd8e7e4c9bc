import { beforeEach, describe, expect, test } from "bun:test";
import { describe as describeStep } from "../../../src/plan/steps/describe.ts";
import { readRecord } from "../../../src/state/record.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { planDomainStart, startDomain } from "../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import type { PciOptions } from "../../memory-host/pci-bus.ts";
import { pciFolder, putPciDevices } from "../../scenes/pci.ts";
import {
  domainXml,
  errorOf,
  failedStart,
  labelOf,
  makeMachine,
  nodeOn,
  putText,
  sweepAll,
  UUID,
} from "../../scenes/scene.ts";
import { makeUsersMachine } from "../../scenes/session.ts";
import { leavesNothing, type Work, withoutInodes } from "../../scenes/strikes.ts";

const TIMEOUT_MS = 120_000;
const OTHER = "11111111-2222-4333-8444-000000000002";
const NAME = "0000:06:00.0";
const SOUND = "0000:06:00.1";
const CARD: PciOptions = { name: NAME, group: "12", driver: "e1000e", match: "e1000e" };

let machine: Machine;

function makeHost(devices: readonly PciOptions[] = [CARD]): Machine {
  const made = makeMachine();
  made.files.putFolder("/sys/bus/pci/drivers/e1000e");
  made.files.putFolder("/sys/bus/pci/drivers/snd_hda_intel");
  putPciDevices(made, devices);
  return made;
}

beforeEach(() => {
  machine = makeHost();
});

function pci(fn = 0, managed = "yes", driver = ""): string {
  return `<hostdev type='pci' managed='${managed}'>${driver}<source><address bus='6' slot='0' function='${fn}'/></source></hostdev>`;
}

const start: Work = (node) => startDomain(node, domainXml({ devices: pci() }));
const destroy: Work = (node) => destroyDomain(node, "vm1");

test("a device is taken from its driver before anything else, and given back last", async () => {
  const before = withoutInodes(machine);
  await start(nodeOn(machine));
  expect(machine.pci.driverOf(NAME)).toBe("vfio-pci");
  const record = readRecord(nodeOn(machine), UUID);
  expect(labelOf(machine, "/dev/vfio/12")).toBe(record?.label.imageLabel ?? "");
  expect(record?.steps.slice(0, 2).map(describeStep)).toEqual([
    `reserve pci ${NAME} (exclusive)`,
    `bind ${NAME} to vfio-pci (driver before: e1000e)`,
  ]);
  await destroy(nodeOn(machine));
  expect(machine.pci.driverOf(NAME)).toBe("e1000e");
  expect(withoutInodes(machine)).toEqual(before);
  expect(machine.violations).toEqual([]);
});

test("a plan takes nothing, and says what it would", async () => {
  const before = snapshot(machine);
  const steps = await planDomainStart(nodeOn(machine), domainXml({ devices: pci() }));
  expect(steps[1]).toMatchObject({ do: "bind-vfio", device: NAME, driver: "e1000e" });
  expect(steps.map(describeStep).join("\n")).toContain("label /dev/vfio/12: ");
  expect(snapshot(machine)).toEqual(before);
});

// virPCIDeviceBindToStub() of libvirt: "already bound" is not undone either.
test("a device that is at vfio-pci already stays there", async () => {
  machine.pci.bind(NAME, "vfio-pci");
  const before = snapshot(machine);
  await start(nodeOn(machine));
  await destroy(nodeOn(machine));
  expect(snapshot(machine)).toEqual(before);
});

// virPCIDeviceBindToStub() of libvirt binds again a device that another driver than the chosen one has.
test("a device that is at another VFIO driver stays there unless the XML names vfio-pci", async () => {
  for (const other of ["mlx5_vfio_pci", "vfio-pci-igb"]) {
    const own = makeHost([{ ...CARD, driver: other, match: other }]);
    const before = withoutInodes(own);
    await start(nodeOn(own));
    expect(own.pci.driverOf(NAME)).toBe(other);
    await destroy(nodeOn(own));
    expect(withoutInodes(own)).toEqual(before);
    await startDomain(nodeOn(own), domainXml({ devices: pci(0, "yes", "<driver model='vfio-pci'/>") }));
    expect(own.pci.driverOf(NAME)).toBe("vfio-pci");
    await destroy(nodeOn(own));
    expect(own.pci.driverOf(NAME)).toBe(other);
    expect(withoutInodes(own)).toEqual(before);
  }
});

test.each(["vfio-pci-igb", "mlx5_vfio_pci"])(
  "a device is bound to the VFIO driver %s that the XML names, and given back",
  async (driver) => {
    machine.files.putFolder(`/sys/bus/pci/drivers/${driver}`);
    const before = withoutInodes(machine);
    await startDomain(
      nodeOn(machine),
      domainXml({ devices: pci(0, "yes", `<driver name='vfio' model='${driver}'/>`) }),
    );
    expect(machine.pci.driverOf(NAME)).toBe(driver);
    expect(readRecord(nodeOn(machine), UUID)?.steps.map(describeStep)).toContain(
      `bind ${NAME} to ${driver} (driver before: e1000e)`,
    );
    await destroy(nodeOn(machine));
    expect(machine.pci.driverOf(NAME)).toBe("e1000e");
    expect(withoutInodes(machine)).toEqual(before);
  },
);

test("a device that an administrator has bound to another VFIO driver is passed as it is", async () => {
  machine.pci.unbind(NAME);
  machine.pci.bind(NAME, "vfio-pci-igb");
  const before = snapshot(machine);
  await startDomain(nodeOn(machine), domainXml({ devices: pci(0, "no", "<driver model='vfio-pci-igb'/>") }));
  await destroy(nodeOn(machine));
  expect(snapshot(machine)).toEqual(before);
});

test("a device that is at vfio-pci already is no reason to write a record earlier than for one that is not managed", async () => {
  const written = async (managed: string): Promise<readonly string[]> => {
    const own = makeHost();
    own.pci.bind(NAME, "vfio-pci");
    const [{ host, ...node }, paths] = [nodeOn(own), [] as string[]];
    const note = <Write extends (path: string, text: string, mode: number) => void>(write: Write) =>
      ((path, text, mode) => {
        paths.push(path);
        write(path, text, mode);
      }) as Write;
    const noting = {
      ...host,
      writeText: note(host.writeText),
      stageText: note(host.stageText),
      writeVolatile: note(host.writeVolatile),
    };
    await startDomain({ ...node, host: noting }, domainXml({ devices: pci(0, managed) }));
    return paths;
  };
  expect(await written("yes")).toEqual(await written("no"));
});

test("a device without a driver has none afterwards, and one that was meant for another keeps that", async () => {
  machine.pci.unbind(NAME);
  machine.pci.write(`${pciFolder(NAME)}/driver_override`, "pci-stub");
  const before = withoutInodes(machine);
  await start(nodeOn(machine));
  expect(machine.pci.driverOf(NAME)).toBe("vfio-pci");
  await destroy(nodeOn(machine));
  expect(withoutInodes(machine)).toEqual(before);
});

test("two functions that are one group are taken together", async () => {
  machine = makeHost([CARD, { ...CARD, name: SOUND, driver: "snd_hda_intel", match: "snd_hda_intel" }]);
  const before = withoutInodes(machine);
  await startDomain(nodeOn(machine), domainXml({ devices: pci() + pci(1) }));
  expect([NAME, SOUND].map((name) => machine.pci.driverOf(name))).toEqual(["vfio-pci", "vfio-pci"]);
  await destroy(nodeOn(machine));
  expect([NAME, SOUND].map((name) => machine.pci.driverOf(name))).toEqual(["e1000e", "snd_hda_intel"]);
  expect(withoutInodes(machine)).toEqual(before);
});

test.each(["pci-stub", "pcieport", "shpchp"])(
  "a group may have a device in it that %s has",
  async (driver) => {
    machine = makeHost([CARD, { ...CARD, name: SOUND, driver, match: driver }]);
    await start(nodeOn(machine));
    expect([NAME, SOUND].map((name) => machine.pci.driverOf(name))).toEqual(["vfio-pci", driver]);
  },
);

describe("nothing is taken", () => {
  test("from a group that the host uses otherwise: the list of that is shown", async () => {
    machine = makeHost([CARD, { ...CARD, name: SOUND, driver: "snd_hda_intel" }]);
    expect(await failedStart(machine, { devices: pci() })).toMatchObject({
      kind: "wrong-state",
      message: `Cannot pass ${pciFolder(NAME)} through: its IOMMU group has other devices that the host uses: ${SOUND} (snd_hda_intel)`,
    });
  });

  test("without an IOMMU", async () => {
    machine.files.remove(`${pciFolder(NAME)}/iommu_group`);
    expect(await failedStart(machine, { devices: pci() })).toMatchObject({ kind: "wrong-state" });
  });

  test("without vfio-pci in the kernel", async () => {
    machine.files.remove("/sys/bus/pci/drivers/vfio-pci");
    expect(await failedStart(machine, { devices: pci() })).toMatchObject({
      kind: "wrong-state",
      remedy: "Run: modprobe -a vfio-pci vfio_iommu_type1",
    });
  });

  test("without the driver in the kernel that the XML names", async () => {
    const devices = pci(0, "yes", "<driver model='mlx5_vfio_pci'/>");
    expect(await failedStart(machine, { devices })).toMatchObject({
      kind: "wrong-state",
      message: `Cannot detach ${NAME} from the host: the kernel has no driver mlx5_vfio_pci`,
      remedy: "Run: modprobe -a mlx5_vfio_pci vfio_iommu_type1",
    });
  });

  describe("with a disk on it", () => {
    const controller = `${pciFolder(NAME)}/nvme/nvme0`;
    const subsystem = "/sys/devices/virtual/nvme-subsystem/nvme-subsys0";
    const refusal = (disk: string) => ({
      kind: "wrong-state",
      message: `Cannot detach ${NAME} from the host: the host uses ${disk} on it`,
    });

    function putDisk(folder: string, name: string): void {
      putText(machine, `${folder}/dev`, "259:1\n");
      machine.files.putFolder("/sys/class/block");
      machine.files.put(`/sys/class/block/${name}`, "symlink", { target: folder });
    }

    function mount(number: string): void {
      putText(machine, "/proc/self/mountinfo", `22 1 ${number} / / rw - ext4 /dev/x rw\n`);
    }

    test("that the host has mounted", async () => {
      putDisk(`${controller}/nvme0n1/nvme0n1p1`, "nvme0n1p1");
      mount("259:1");
      expect(await failedStart(machine, { devices: pci() })).toMatchObject(refusal("nvme0n1p1"));
      mount("8:1");
      await start(nodeOn(machine));
    });

    test("that stands with its subsystem, since several controllers may lead to it", async () => {
      putDisk(`${subsystem}/nvme0n1`, "nvme0n1");
      machine.files.putFolder(controller);
      machine.files.put(`${subsystem}/nvme0`, "symlink", { target: controller });
      mount("259:1");
      expect(await failedStart(machine, { devices: pci() })).toMatchObject(refusal("nvme0n1"));
    });

    test("that the host swaps to, or that is a part of another", async () => {
      putDisk(`${controller}/nvme0n1`, "nvme0n1");
      putText(machine, "/proc/swaps", "Filename Type Size\n/dev/nvme0n1 partition 1\n");
      expect(await failedStart(machine, { devices: pci() })).toMatchObject(refusal("nvme0n1"));
      putText(machine, "/proc/swaps", "Filename Type Size\n");
      machine.files.putFolder(`${controller}/nvme0n1/holders/dm-0`);
      expect(await failedStart(machine, { devices: pci() })).toMatchObject(refusal("nvme0n1"));
    });

    test("that another guest has", async () => {
      putDisk(`${controller}/nvme0n1`, "nvme0n1");
      machine.files.put("/dev/nvme0n1", "block", { node: "259:1" });
      const disks =
        "<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='/dev/nvme0n1'/><target dev='vda' bus='virtio'/></disk>";
      await startDomain(nodeOn(machine), domainXml({ name: "vm2", uuid: OTHER, disks }));
      expect(await errorOf(start(nodeOn(machine)))).toMatchObject(refusal("nvme0n1"));
      expect(machine.pci.driverOf(NAME)).toBe("e1000e");
    });
  });

  test("for an ordinary user", async () => {
    const users = makeUsersMachine();
    putPciDevices(users, [CARD]);
    const before = snapshot(users);
    const xml = domainXml({ type: "qemu", devices: pci() });
    expect(await errorOf(startDomain(nodeOn(users), xml))).toMatchObject({ kind: "denied" });
    expect(users.pci.driverOf(NAME)).toBe("e1000e");
    expect(snapshot(users).length).toBe(before.length);
  });

  test("for a guest that names another VFIO driver, while another guest uses the device", async () => {
    machine.files.putFolder("/sys/bus/pci/drivers/mlx5_vfio_pci");
    machine.pci.unbind(NAME);
    machine.pci.bind(NAME, "vfio-pci");
    await startDomain(nodeOn(machine), domainXml({ name: "vm2", uuid: OTHER, devices: pci(0, "no") }));
    // A device that is bound again has a new node.
    const before = snapshot(machine);
    const devices = pci(0, "yes", "<driver model='mlx5_vfio_pci'/>");
    expect(await errorOf(startDomain(nodeOn(machine), domainXml({ devices })))).toMatchObject({
      kind: "in-use",
      message: `Cannot detach ${NAME} from the host: the guest ${OTHER} uses it`,
    });
    expect(snapshot(machine)).toEqual(before);
  });

  test("for a second guest, which leaves the first one its device", async () => {
    await start(nodeOn(machine));
    const before = snapshot(machine);
    const second = domainXml({ name: "vm2", uuid: OTHER, devices: pci() });
    expect(await errorOf(startDomain(nodeOn(machine), second))).toMatchObject({ kind: "in-use" });
    expect(snapshot(machine)).toEqual(before);
  });
});

test("a start that fails after it gives the device back", async () => {
  machine.qemu = { endsAtOnce: { status: 1, says: "qemu: no" } };
  const before = withoutInodes(machine);
  await errorOf(start(nodeOn(machine)));
  machine.pass(1000);
  machine.reaps.splice(0);
  expect(machine.pci.driverOf(NAME)).toBe("e1000e");
  expect(withoutInodes(machine)).toEqual(before);
});

async function withGuest(): Promise<Machine> {
  const made = makeHost();
  await start(nodeOn(made));
  return made;
}

test.each([
  { name: "a start", prepare: async () => makeHost(), work: start },
  { name: "a destroy", prepare: withGuest, work: destroy },
])(
  "$name that is killed anywhere leaves the device at its driver",
  async (subject) => {
    await leavesNothing(subject, { clean: withoutInodes(makeHost()), end: destroy });
  },
  TIMEOUT_MS,
);

test("what an administrator does with the device after a reboot is his affair", async () => {
  await start(nodeOn(machine));
  machine.reboot();
  machine.pci.unbind(NAME);
  machine.pci.bind(NAME, "vfio-pci");
  await sweepAll(machine);
  expect(readRecord(nodeOn(machine), UUID)).toBeUndefined();
  expect(machine.pci.driverOf(NAME)).toBe("vfio-pci");
});
