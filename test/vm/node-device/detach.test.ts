import { beforeEach, describe, expect, test } from "bun:test";
import type { ControlWrite } from "../../../src/host/processes.ts";
import { auditNode } from "../../../src/vm/audit/audit-node.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { detachDevice, reattachDevice, resetDevice } from "../../../src/vm/node-device/detach.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { runOn } from "../../cli/in-memory.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { configOf, putDisk, putNetwork } from "../../scenes/host-devices.ts";
import { pciFolder, putMediated, putPciDevices } from "../../scenes/pci.ts";
import { domainXml, errorOf, makeMachine, nodeOn, putNode, putText } from "../../scenes/scene.ts";
import { makeUsersMachine } from "../../scenes/session.ts";
import { beStruck, instantsOf, withoutInodes } from "../../scenes/strikes.ts";

const ADDRESS = "0000:06:00.0";
const NAME = "pci_0000_06_00_0";
const CARD = { name: ADDRESS, group: "12", driver: "e1000e", match: "e1000e" };
const MANAGED =
  "<hostdev type='pci' managed='yes'><source><address bus='6' slot='0' function='0'/></source></hostdev>";

let machine: Machine;

function makeHost(): Machine {
  const made = makeMachine();
  made.files.putFolder("/sys/bus/pci/drivers/e1000e");
  putPciDevices(made, [CARD]);
  made.files.put(`${pciFolder(ADDRESS)}/config`, "file", { bytes: configOf({}) });
  return made;
}

beforeEach(() => {
  machine = makeHost();
});

/** Detaches, and expects to be refused without any change. */
async function refused(own = machine): Promise<{ readonly message: string; readonly code: string }> {
  const before = snapshot(own);
  const error = await errorOf(detachDevice(nodeOn(own), NAME));
  expect(snapshot(own)).toEqual(before);
  return { message: error.message, code: error.libvirt.name };
}

test("a device is taken from its driver until it is given back, by the commands of virsh", async () => {
  const before = withoutInodes(machine);
  expect(await runOn(machine, "nodedev-detach", NAME)).toEqual({
    code: 0,
    out: `Device ${NAME} detached\n\n`,
    err: "",
  });
  expect(machine.pci.driverOf(ADDRESS)).toBe("vfio-pci");
  expect((await runOn(machine, "nodedev-detach", NAME)).code).toBe(0);
  expect((await runOn(machine, "nodedev-reattach", NAME)).out).toBe(`Device ${NAME} re-attached\n\n`);
  expect(machine.pci.driverOf(ADDRESS)).toBe("e1000e");
  expect((await runOn(machine, "nodedev-reattach", NAME)).code).toBe(0);
  expect(withoutInodes(machine)).toEqual(before);
});

test("killed at any call, a detach is finished by the next one, or undone by a re-attach", async () => {
  const prepare = () => Promise.resolve(makeHost());
  const work = (node: ReturnType<typeof nodeOn>) => detachDevice(node, NAME);
  const clean = withoutInodes(makeHost());
  const instants = await instantsOf(prepare, work);
  expect(instants.length).toBeGreaterThan(6);
  for (const strike of instants)
    for (const next of [detachDevice, undefined]) {
      const own = await prepare();
      await beStruck(own, work, strike);
      await next?.(nodeOn(own), NAME);
      if (next !== undefined) expect([strike, own.pci.driverOf(ADDRESS)]).toEqual([strike, "vfio-pci"]);
      await reattachDevice(nodeOn(own), NAME);
      expect([strike, ...withoutInodes(own)]).toEqual([strike, ...clean]);
    }
});

test("a guest may have the detached device, which stays detached after its end", async () => {
  await detachDevice(nodeOn(machine), NAME);
  await startDomain(nodeOn(machine), domainXml({ devices: MANAGED }));
  for (const change of [detachDevice, reattachDevice, resetDevice]) {
    const error = await errorOf(change(nodeOn(machine), NAME));
    expect([error.kind, error.message]).toEqual(["in-use", expect.stringContaining("the guest")]);
    // virHostdevIsPCINodeDeviceUsed() of libvirt, VIR_FROM_NONE
    expect([error.libvirt.name, error.libvirt.domain]).toEqual(["VIR_ERR_OPERATION_INVALID", 0]);
  }
  await destroyDomain(nodeOn(machine), "vm1");
  expect(machine.pci.driverOf(ADDRESS)).toBe("vfio-pci");
});

test("a device that a guest has taken from its driver is not changed", async () => {
  await startDomain(nodeOn(machine), domainXml({ devices: MANAGED }));
  for (const change of [detachDevice, reattachDevice, resetDevice])
    expect((await errorOf(change(nodeOn(machine), NAME))).kind).toBe("in-use");
  expect(machine.pci.driverOf(ADDRESS)).toBe("vfio-pci");
});

test("a card whose virtual function a guest has is not changed", async () => {
  const virtual = "0000:06:10.0";
  putPciDevices(machine, [{ name: virtual, group: "13", driver: "e1000e", match: "e1000e" }]);
  machine.files.put(`${pciFolder(ADDRESS)}/virtfn0`, "symlink", { target: pciFolder(virtual) });
  await startDomain(nodeOn(machine), domainXml({ devices: MANAGED.replace("slot='0'", "slot='16'") }));
  const { message } = await refused();
  expect(message).toContain(`Cannot detach ${virtual} from the host: the guest`);
});

test("a card whose mediated device a guest has is not changed", async () => {
  const mediated = "53764d0e-85a0-42b4-af5c-2046b460b1dc";
  putMediated(machine, mediated, "20");
  putNode(machine, "/dev/vfio/20", { node: "511:20", type: "vfio_device_t", mode: 0o600 });
  const group = { target: "/sys/kernel/iommu_groups/20" };
  machine.files.putFolder(`${pciFolder(ADDRESS)}/${mediated}`);
  machine.files.put(`${pciFolder(ADDRESS)}/${mediated}/iommu_group`, "symlink", group);
  const source = `<source><address uuid='${mediated}'/></source>`;
  const devices = `<hostdev type='mdev' model='vfio-pci'>${source}</hostdev>`;
  await startDomain(nodeOn(machine), domainXml({ devices }));
  expect((await refused()).message).toContain(`Cannot detach ${mediated} from the host: the guest`);
});

test("a controller with a mounted disk is refused", async () => {
  putDisk(machine, `${pciFolder(ADDRESS)}/block/nvme0n1`, { dev: "259:0" });
  machine.files.putFolder("/sys/class/block");
  machine.files.put("/sys/class/block/nvme0n1", "symlink", { target: `${pciFolder(ADDRESS)}/block/nvme0n1` });
  putText(machine, "/proc/self/mountinfo", "36 35 259:0 / / rw - ext4 /dev/nvme0n1 rw\n");
  expect((await refused()).message).toContain("the host uses nvme0n1 on it");
});

test("the network card with the default route is refused, also below a bridge", async () => {
  putNetwork(machine, `${pciFolder(ADDRESS)}/net/eth0`);
  machine.defaultRoutes.push("eth0");
  expect(await refused()).toEqual({
    code: "VIR_ERR_OPERATION_INVALID",
    message: `Cannot detach ${ADDRESS} from the host: the host's default route is by eth0 on it`,
  });
  putText(machine, "/sys/class/net/br0/lower_eth0", "");
  machine.defaultRoutes.splice(0, 1, "br0");
  expect((await refused()).message).toContain("the host's default route is by eth0");
  machine.defaultRoutes.splice(0, 1, "eth1");
  await detachDevice(nodeOn(machine), NAME);
});

test("a card with a virtual function by which the host's default route is is refused", async () => {
  const virtual = "0000:06:10.0";
  putPciDevices(machine, [{ name: virtual, group: "13", driver: "e1000e", match: "e1000e" }]);
  machine.files.put(`${pciFolder(ADDRESS)}/virtfn0`, "symlink", { target: pciFolder(virtual) });
  putNetwork(machine, `${pciFolder(virtual)}/net/eth5`);
  machine.defaultRoutes.push("eth5");
  expect((await refused()).message).toContain(
    `Cannot detach ${virtual} from the host: the host's default route`,
  );
});

test("a device that VFIO does not accept is given back to its driver", async () => {
  const { host, ...node } = nodeOn(machine);
  // The driver's probe fails.
  const writeControls: typeof host.writeControls = async (writes, limitMs, lock) => {
    const fails = isFirst;
    isFirst = false;
    await host.writeControls(
      fails ? writes.filter(({ path }) => !path.endsWith("/drivers_probe")) : writes,
      limitMs,
      lock,
    );
  };
  let isFirst = true;
  const error = await errorOf(detachDevice({ ...node, host: { ...host, writeControls } }, NAME));
  expect(error.message).toContain(`Cannot bind ${ADDRESS} to vfio-pci: its driver is none`);
  expect(machine.pci.driverOf(ADDRESS)).toBe("e1000e");
});

test("other devices, bridges, drivers and users are refused", async () => {
  const of = async (...words: readonly string[]) => (await runOn(machine, ...words)).err;
  expect(await of("nodedev-detach", "computer")).toContain("device computer is not a PCI device");
  expect(await of("nodedev-detach", "pci_none")).toContain("no node device with matching name 'pci_none'");
  expect(await of("nodedev-detach", NAME, "--driver", "e1000e")).toContain(
    "unsupported driver name 'e1000e'",
  );
  expect(await of("nodedev-detach", NAME, "--driver", "mlx5_vfio_pci")).toContain(
    "the kernel has no driver mlx5_vfio_pci",
  );
  machine.files.put(`${pciFolder(ADDRESS)}/config`, "file", { bytes: configOf({ header: 1 }) });
  expect((await refused()).message).toContain("it is a bridge to other devices");
});

test("a session may change no device", async () => {
  const own = makeUsersMachine();
  putPciDevices(own, [CARD]);
  const before = snapshot(own);
  expect((await errorOf(detachDevice(nodeOn(own), NAME))).message).toContain("requires root");
  expect(snapshot(own)).toEqual(before);
});

test("a reset is one write to the kernel, where the kernel has a way", async () => {
  expect((await errorOf(resetDevice(nodeOn(machine), NAME))).message).toContain(
    "the kernel has no way to reset it",
  );
  putText(machine, `${pciFolder(ADDRESS)}/reset`, "");
  putText(machine, `${pciFolder(ADDRESS)}/reset_method`, "\n");
  expect((await errorOf(resetDevice(nodeOn(machine), NAME))).message).toContain("no way to reset it");
  putText(machine, `${pciFolder(ADDRESS)}/reset_method`, "flr\n");
  const { host, ...node } = nodeOn(machine);
  const written: string[] = [];
  const noting = {
    ...host,
    writeControls: async (writes: readonly ControlWrite[]) =>
      void written.push(...writes.map(({ path, value }) => `${value} ${path}`)),
  };
  await resetDevice({ ...node, host: noting }, NAME);
  expect(written).toEqual([`1 ${pciFolder(ADDRESS)}/reset`]);
});

describe("a detach that was killed once the device is bound", () => {
  const UNMANAGED = MANAGED.replace("managed='yes'", "managed='no'");

  async function killed(): Promise<Machine> {
    const own = makeHost();
    const work = (node: ReturnType<typeof nodeOn>) => detachDevice(node, NAME);
    const [bound] = (await instantsOf(async () => makeHost(), work)).filter(
      ({ at, moment }) => at === 5 && moment === "after",
    );
    if (bound === undefined) throw new Error("there is no such call");
    await beStruck(own, work, bound);
    expect(own.pci.driverOf(ADDRESS)).toBe("vfio-pci");
    return own;
  }

  test("is named by svirt audit, and undone by svirt recover, before a guest can use it", async () => {
    const own = await killed();
    expect((await auditNode(nodeOn(own))).findings).toEqual([
      expect.stringContaining(`nodedev-detach ${NAME}: was interrupted`),
    ]);
    expect((await runOn(own, "recover")).out).toBe(`Interrupted nodedev-detach ${NAME} undone or finished\n`);
    expect(own.pci.driverOf(ADDRESS)).toBe("e1000e");
    const again = await killed();
    putText(again, "/srv/vm1.xml", new TextDecoder().decode(domainXml({ devices: UNMANAGED })));
    expect((await runOn(again, "create", "/srv/vm1.xml")).code).not.toBe(0);
    expect(again.pci.driverOf(ADDRESS)).toBe("e1000e");
  });

  test("is not undone under a guest that has the device by now", async () => {
    const own = await killed();
    await startDomain(nodeOn(own), domainXml({ devices: UNMANAGED }));
    expect((await runOn(own, "recover")).code).toBe(0);
    expect(own.pci.driverOf(ADDRESS)).toBe("vfio-pci");
    expect((await auditNode(nodeOn(own))).findings).toEqual([]);
  });
});
