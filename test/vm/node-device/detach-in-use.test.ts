import { beforeEach, describe, expect, test } from "bun:test";
import { pciLock } from "../../../src/plan/paths.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { detachDevice, resetDevice } from "../../../src/vm/node-device/detach.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { configOf, putNetwork } from "../../scenes/host-devices.ts";
import { pciFolder, putPciDevices } from "../../scenes/pci.ts";
import {
  domainXml,
  errorOf,
  failedStart,
  makeMachine,
  nodeOn,
  putNode,
  putText,
} from "../../scenes/scene.ts";

const ADDRESS = "0000:06:00.0";
const NAME = "pci_0000_06_00_0";
const SWITCH = "/sys/devices/virtual/net";
const MANAGED =
  "<hostdev type='pci' managed='yes'><source><address bus='6' slot='0' function='0'/></source></hostdev>";

let machine: Machine;

beforeEach(() => {
  machine = makeMachine();
  machine.files.putFolder("/sys/bus/pci/drivers/e1000e");
  putPciDevices(machine, [{ name: ADDRESS, group: "12", driver: "e1000e", match: "e1000e" }]);
  machine.files.put(`${pciFolder(ADDRESS)}/config`, "file", { bytes: configOf({}) });
});

/** Expects each change to be refused, and returns the errors' kinds and messages. */
async function refused(): Promise<ReadonlySet<string>> {
  const before = snapshot(machine);
  const errors = await Promise.all(
    [detachDevice, resetDevice].map(async (change) => await errorOf(change(nodeOn(machine), NAME))),
  );
  expect(snapshot(machine)).toEqual(before);
  return new Set(errors.map(({ kind, message }) => `${kind}: ${message}`));
}

// sysfs of a device of Open vSwitch: vport-internal_dev.c of Linux; its ports have ovs-system as master:
// vport-netdev.c
describe("the host's default route is by an Open vSwitch bridge", () => {
  beforeEach(() => {
    putNetwork(machine, `${pciFolder(ADDRESS)}/net/eth0`);
    for (const name of ["br0", "ovs-system"]) {
      const files = { type: "1", ifindex: "7", iflink: "7", uevent: `INTERFACE=${name}\nIFINDEX=7` };
      putNetwork(machine, `${SWITCH}/${name}`, files);
    }
    machine.defaultRoutes.push("br0");
  });

  test("a card that is its port is refused", async () => {
    putText(machine, `${SWITCH}/ovs-system/lower_eth0`, "");
    expect([...(await refused())]).toEqual([
      `wrong-state: Cannot detach ${ADDRESS} from the host: the host's default route is by the Open vSwitch bridge br0, and eth0 on it is a port of Open vSwitch`,
    ]);
  });

  test("a card in a bond that is its port is refused, also with a VLAN on the bridge", async () => {
    putText(machine, `${SWITCH}/ovs-system/lower_bond0`, "");
    putText(machine, `${SWITCH}/bond0/lower_eth0`, "");
    machine.files.put("/sys/class/net/bond0", "symlink", { target: `${SWITCH}/bond0` });
    putNetwork(machine, `${SWITCH}/vlan5`, { uevent: "DEVTYPE=vlan", lower_br0: "" });
    machine.defaultRoutes.splice(0, 1, "vlan5");
    expect([...(await refused())]).toEqual([
      expect.stringContaining("the Open vSwitch bridge br0, and eth0"),
    ]);
  });

  test("a card that is no port is detached", async () => {
    putText(machine, `${SWITCH}/ovs-system/lower_eth9`, "");
    await detachDevice(nodeOn(machine), NAME);
  });

  test.each([
    ["a tap", { type: "1", tun_flags: "0x1002" }],
    ["one end of a pair", { type: "1", ifindex: "7", iflink: "8" }],
    ["a tunnel", { type: "65534" }],
    ["a bridge of the kernel", { type: "1", uevent: "DEVTYPE=bridge" }],
  ])("a port is detached if the route is by %s", async (_, files) => {
    putText(machine, `${SWITCH}/ovs-system/lower_eth0`, "");
    putNetwork(machine, `${SWITCH}/other`, files);
    machine.defaultRoutes.splice(0, 1, "other");
    await detachDevice(nodeOn(machine), NAME);
  });
});

/** A SCSI device and a USB device behind the controller, and their nodes. */
function putBehind(): void {
  const { files } = machine;
  const usb = `${pciFolder(ADDRESS)}/usb1/1-1`;
  const facts = { busnum: "1", devnum: "2", idVendor: "0627", idProduct: "0001" };
  for (const [field, text] of Object.entries(facts)) putText(machine, `${usb}/${field}`, `${text}\n`);
  putText(machine, `${usb}/uevent`, "MAJOR=189\nMINOR=1\nDEVNAME=bus/usb/001/002\nDEVTYPE=usb_device\n");
  files.putFolder("/sys/bus/usb/devices");
  files.put("/sys/bus/usb/devices/1-1", "symlink", { target: usb });
  putNode(machine, "/dev/bus/usb/001/002", { node: "189:1", type: "usb_device_t" });
  const unit = `${pciFolder(ADDRESS)}/host2/target2:0:0/2:0:0:0`;
  putText(machine, `${unit}/scsi_generic/sg1/dev`, "21:1\n");
  putText(machine, `${unit}/scsi_generic/sg1/uevent`, "MAJOR=21\nMINOR=1\nDEVNAME=sg1\n");
  files.putFolder("/sys/bus/scsi/devices");
  files.put("/sys/bus/scsi/devices/2:0:0:0", "symlink", { target: unit });
  putNode(machine, "/dev/sg1", { node: "21:1", type: "scsi_generic_device_t" });
  files.putFolder("/sys/dev/char");
  files.put("/sys/dev/char/189:1", "symlink", { target: usb });
  files.put("/sys/dev/char/21:1", "symlink", { target: `${unit}/scsi_generic/sg1` });
}

describe("a guest has a device behind a controller", () => {
  test.each([
    [
      "/dev/bus/usb/001/002",
      "<hostdev mode='subsystem' type='usb'><source><vendor id='0x0627'/><product id='0x0001'/></source></hostdev>",
    ],
    [
      "/dev/sg1",
      "<controller type='scsi' model='virtio-scsi'/><hostdev mode='subsystem' type='scsi'><source><adapter name='scsi_host2'/><address bus='0' target='0' unit='0'/></source></hostdev>",
    ],
  ])("the controller of %s is refused until the guest has ended", async (node, devices) => {
    putBehind();
    await startDomain(nodeOn(machine), domainXml({ devices }));
    const message = `Cannot detach ${ADDRESS} from the host: the guest vm1 uses ${node} behind it`;
    expect([...(await refused())]).toEqual([`in-use: ${message}`]);
    const other = { name: "vm2", uuid: "11111111-2222-4333-8444-000000000002", devices: MANAGED };
    expect(await failedStart(machine, other)).toMatchObject({ kind: "in-use", message });
    await destroyDomain(nodeOn(machine), "vm1");
    await detachDevice(nodeOn(machine), NAME);
    expect(machine.pci.driverOf(ADDRESS)).toBe("vfio-pci");
  });
});

describe("a guest reaches its network by a card", () => {
  const card = (type: string, source: string): string =>
    `<interface type='${type}'><mac address='52:54:00:00:00:01'/>${source}<model type='virtio'/></interface>`;
  const BRIDGED = card("bridge", "<source bridge='br0'/>");

  beforeEach(() => {
    putNetwork(machine, `${pciFolder(ADDRESS)}/net/eth0`);
    machine.taps.addBridge("br0");
    machine.files.put("/dev/vhost-net", "character", { node: "10:238" });
  });

  test.each([
    ["a bridge", BRIDGED, "br0", "eth0 by br0"],
    ["a VLAN of it in a bridge", BRIDGED, "br0 vlan5", "eth0 by br0"],
    ["a macvtap", card("direct", "<source dev='eth0'/>"), "", "eth0"],
    ["a macvtap on a bridge", card("direct", "<source dev='br0'/>"), "br0", "eth0 by br0"],
  ] as const)("by %s, which is refused until the guest has ended", async (_, devices, ...[chain, used]) => {
    const names = [...chain.split(" ").filter(Boolean), "eth0"];
    for (const [at, name] of names.slice(1).entries())
      putText(machine, `/sys/class/net/${names[at]}/lower_${name}`, "");
    await startDomain(nodeOn(machine), domainXml({ devices }));
    const message = `Cannot detach ${ADDRESS} from the host: the guest vm1 uses the network card ${used}`;
    expect([...(await refused())]).toEqual([`in-use: ${message}`]);
    const other = { name: "vm2", uuid: "11111111-2222-4333-8444-000000000002", devices: MANAGED };
    expect(await failedStart(machine, other)).toMatchObject({ kind: "in-use", message });
    await destroyDomain(nodeOn(machine), "vm1");
    await detachDevice(nodeOn(machine), NAME);
    expect(machine.pci.driverOf(ADDRESS)).toBe("vfio-pci");
  });

  test.each([
    ["a bridge", BRIDGED],
    ["a macvtap", card("direct", "<source dev='eth0'/>")],
  ])("by %s, and does not start while another svirt takes the card from its driver", async (_, devices) => {
    putText(machine, "/sys/class/net/br0/lower_eth0", "");
    const node = nodeOn(machine);
    const release = await node.host.lock(pciLock(node.paths, ADDRESS), 0);
    expect(await failedStart(machine, { devices })).toMatchObject({
      kind: "in-use",
      message: `Cannot use ${ADDRESS}: another svirt is changing its driver or resetting it`,
    });
    release();
    await startDomain(nodeOn(machine), domainXml({ devices }));
  });

  test("by another card, and starts while another svirt takes this one from its driver", async () => {
    const node = nodeOn(machine);
    await node.host.lock(pciLock(node.paths, ADDRESS), 0);
    await startDomain(nodeOn(machine), domainXml({ devices: BRIDGED }));
  });

  test("with a tap that an administrator has put into the bridge", async () => {
    putText(machine, "/sys/class/net/br0/lower_eth0", "");
    machine.taps.addPersistent("tap9");
    const devices =
      "<interface type='ethernet'><target dev='tap9' managed='no'/><model type='virtio'/></interface>";
    await startDomain(nodeOn(machine), domainXml({ devices }));
    machine.files.put("/sys/class/net/tap9/master", "symlink", { target: "/sys/class/net/br0" });
    expect([...(await refused())]).toEqual([
      expect.stringContaining("the guest vm1 uses the network card eth0 by br0"),
    ]);
  });

  test("another card is detached, and so is one whose bridge no guest uses", async () => {
    await startDomain(nodeOn(machine), domainXml({ devices: BRIDGED }));
    machine.taps.addBridge("br1");
    putText(machine, "/sys/class/net/br1/lower_eth0", "");
    await detachDevice(nodeOn(machine), NAME);
  });

  test("a damaged record refuses a card, whose guest may use it", async () => {
    putText(machine, "/var/lib/svirt/records/11111111-2222-4333-8444-000000000002.json", "{");
    expect([...(await refused())]).toEqual([expect.stringContaining("Cannot read the record")]);
  });
});
