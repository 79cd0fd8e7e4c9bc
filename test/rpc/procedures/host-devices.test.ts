import { describe, expect, test } from "bun:test";
import { putHostDevices, putNetwork } from "../../scenes/host-devices.ts";
import { makeMachine, nodeOn } from "../../scenes/scene.ts";
import { asked, call, errorIn, text, word } from "../remote-client.ts";

// Bytes from libvirt's remote_protocol.x; flags from libvirt-nodedev.h and libvirt-interface.h.

function instanceWithDevices() {
  const machine = makeMachine();
  putHostDevices(machine);
  return nodeOn(machine);
}

const payloadOf = async (procedure: number, payload: string) =>
  (await asked(instanceWithDevices(), call(procedure, payload))).payload;
const listOf = (...names: readonly string[]) => word(names.length) + names.map(text).join("");

const CARD = "pci_0000_06_00_0";
const PCI = ["pci_0000_00_1c_0", "pci_0000_00_1f_2", CARD];
const [PERSISTENT, TRANSIENT, INACTIVE, ACTIVE] = [2 ** 28, 2 ** 29, 2 ** 30, 2 ** 31];

describe("procedures about devices of the host", () => {
  test("count and list those with a capability, up to a number", async () => {
    expect(await payloadOf(111, word(0) + word(0))).toBe(word(11));
    expect(await payloadOf(111, word(1) + text("pci") + word(0))).toBe(word(3));
    expect(await payloadOf(112, word(1) + text("pci") + word(2) + word(0))).toBe(listOf(...PCI.slice(0, 2)));
  });

  test.each<[flags: number, names: readonly string[]]>([
    [2, PCI],
    [2 + ACTIVE, PCI],
    [2 + INACTIVE, []],
    [2 + INACTIVE + ACTIVE, PCI],
    [2 + TRANSIENT, PCI],
    [2 + PERSISTENT, []],
    [1 + PERSISTENT, ["computer"]],
    [1 + TRANSIENT, []],
    [2 ** 21, []],
  ])("list by the bits %d of a filter", async (flags, names) => {
    expect(await payloadOf(285, word(1) + word(flags))).toBe(listOf(...names) + word(names.length));
    expect(await payloadOf(285, word(0) + word(flags))).toBe(word(0) + word(names.length));
  });

  test("return a device, its parent and its capabilities", async () => {
    expect(await payloadOf(113, text(CARD))).toBe(text(CARD));
    expect(await payloadOf(115, text(CARD))).toBe(word(1) + text("pci_0000_00_1c_0"));
    expect(await payloadOf(115, text("computer"))).toBe(word(0));
    expect(await payloadOf(116, text(CARD))).toBe(word(1));
    expect(await payloadOf(117, text(CARD) + word(5))).toBe(listOf("pci"));
    expect(await payloadOf(117, text(CARD) + word(0))).toBe(word(0));
  });

  test("fail for an unknown device and an unknown flag with libvirt's errors", async () => {
    const errorOf = async (procedure: number, payload: string) =>
      errorIn(await asked(instanceWithDevices(), call(procedure, payload)));
    expect(await errorOf(113, text("pci_none"))).toMatchObject({ code: 53, domain: 22 });
    expect(await errorOf(114, text(CARD) + word(2))).toEqual({
      code: 8,
      domain: 22,
      message: "unsupported flags (0x2) in function nodeDeviceGetXMLDesc",
    });
    // virDomainDriverNodeDeviceGetPCIInfo(), VIR_FROM_DOMAIN
    for (const procedure of [118, 119, 120])
      expect(await errorOf(procedure, text("computer"))).toEqual({
        code: 8,
        domain: 20,
        message: "invalid argument: device computer is not a PCI device",
      });
    // virPCIDeviceReset(), VIR_FROM_NONE
    expect(await errorOf(120, text("pci_0000_00_1c_0"))).toMatchObject({ code: 1, domain: 0 });
  });
});

describe("procedures about interfaces of the host", () => {
  const iface = text("eth0") + text("52:54:00:12:34:56");

  test("count, list and return them", async () => {
    expect(await payloadOf(126, "")).toBe(word(1));
    expect(await payloadOf(127, word(9))).toBe(listOf("eth0"));
    expect(await payloadOf(137, "")).toBe(word(0));
    expect(await payloadOf(284, word(1) + word(2))).toBe(word(1) + iface + word(1));
    expect(await payloadOf(284, word(1) + word(1))).toBe(word(0) + word(0));
    expect(await payloadOf(128, text("eth0"))).toBe(iface);
    expect(await payloadOf(129, text("52:54:00:12:34:56"))).toBe(iface);
    expect(await payloadOf(156, iface)).toBe(word(1));
  });

  test("fail for an unknown name, and for an address that two have, with libvirt's errors", async () => {
    const machine = makeMachine();
    for (const name of ["eth0", "eth1"]) putNetwork(machine, `/sys/devices/virtual/net/${name}`);
    const errorOf = async (procedure: number, name: string) =>
      errorIn(await asked(nodeOn(machine), call(procedure, text(name))));
    expect(await errorOf(128, "eth9")).toMatchObject({ code: 57, domain: 26 });
    expect(await errorOf(129, "52:54:00:12:34:56")).toMatchObject({ code: 59, domain: 26 });
  });
});
