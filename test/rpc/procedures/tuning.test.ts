import { describe, expect, test } from "bun:test";
import { readDefinition } from "../../../src/state/definitions.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { machineWithGroups } from "../../scenes/groups.ts";
import { domainXml, makeMachine, nodeOn, UUID } from "../../scenes/scene.ts";
import { asked, call, domain, errorIn, long, text, word } from "../remote-client.ts";

// Layouts and numbers from libvirt's remote_protocol.x, words from its libvirt-domain.c and qemu_driver.c.

const VM1 = domain("vm1", UUID);
/** Returns a parameter with a number: of type 2 (uint), 3 (llong) or 4 (ullong). */
const parameter = (field: string, type: number, value: number): string =>
  text(field) + word(type) + (type === 2 ? word(value) : long(BigInt(value)));

async function running(machine: Machine = makeMachine(), lifecycle = ""): Promise<Machine> {
  const xml = domainXml({ lifecycle });
  await defineDomain(nodeOn(machine), xml);
  await startDomain(nodeOn(machine), xml);
  return machine;
}

const inactive = (machine: Machine): string => readDefinition(nodeOn(machine), "vm1")?.xml ?? "";
describe("pins", () => {
  test("of virtual CPUs and of the emulator are set and shown as maps", async () => {
    const machine = await running(machineWithGroups(), "<vcpu>2</vcpu>");
    const node = nodeOn(machine);
    const map = (byte: string): string => word(1) + byte.padEnd(8, "0");
    const packets = [
      call(26, VM1 + word(1) + map("0c")),
      call(225, VM1 + word(0) + map("02") + word(2)),
      call(279, VM1 + map("01") + word(3)),
    ];
    for (const packet of packets) expect(errorIn(await asked(node, packet))).toBeUndefined();
    expect(inactive(machine)).toContain("<vcpupin vcpu='0' cpuset='1'/>");
    expect(inactive(machine)).toContain("<emulatorpin cpuset='0'/>");
    // The map of each virtual CPU, as many as the client asks for, and their number.
    expect((await asked(node, call(230, VM1 + word(3) + word(1) + word(1)))).payload).toBe(
      `${word(3)}0f0c0000${word(2)}`,
    );
    expect((await asked(node, call(280, VM1 + word(2) + word(0)))).payload).toBe(
      `${word(2)}01000000${word(1)}`,
    );
    expect(errorIn(await asked(node, call(26, VM1 + word(1) + map("00"))))?.message).toBe(
      "invalid argument: Empty cpu list for pinning",
    );
  });

  test.each([
    [230, word(16_384) + word(513)],
    [230, word(-1) + word(1)],
    [280, word(-1)],
    [280, word(8_388_609)],
  ])("%i has no room for larger maps", async (number, sizes) => {
    expect(errorIn(await asked(nodeOn(await running()), call(number, VM1 + sizes + word(0))))?.code).toBe(8);
  });
});

describe("limits", () => {
  const UNLIMITED = 9_007_199_254_740_991;

  test.each([
    ["memory", 198, 197, parameter("hard_limit", 4, 524_288), "<hard_limit unit='KiB'>524288</hard_limit>"],
    ["disks", 206, 205, parameter("weight", 2, 500), "<weight>500</weight>"],
    ["processors", 223, 219, parameter("vcpu_quota", 3, 50_000), "<quota>50000</quota>"],
  ])("of %s are set and shown with their types", async (...[, get, set, given, xml]) => {
    const machine = await running(machineWithGroups());
    const node = nodeOn(machine);
    expect(errorIn(await asked(node, call(set, VM1 + word(1) + given + word(2))))).toBeUndefined();
    expect(inactive(machine)).toContain(xml);
    expect((await asked(node, call(get, VM1 + word(16) + word(2)))).payload).toContain(given);
  });

  test("of memory are three, and without one unlimited", async () => {
    const machine = await running(machineWithGroups());
    const node = nodeOn(machine);
    const get = (count: number): string => call(198, VM1 + word(count) + word(2));
    expect((await asked(node, get(0))).payload).toBe(word(0) + word(3));
    const all = ["hard_limit", "soft_limit", "swap_hard_limit"].map((name) => parameter(name, 4, UNLIMITED));
    expect((await asked(node, get(3))).payload).toBe(word(3) + all.join("") + word(0));
    expect((await asked(node, get(1))).payload).toBe(word(1) + all[0] + word(0));
    for (const count of [-1, 17]) expect(errorIn(await asked(node, get(count)))?.code).toBe(1);
    const unlimited = word(1) + parameter("hard_limit", 4, UNLIMITED);
    expect(errorIn(await asked(node, call(197, VM1 + unlimited + word(2))))).toBeUndefined();
    expect(inactive(machine)).not.toContain("memtune");
  });

  test("of processors have a scheduler with nine parameters", async () => {
    const node = nodeOn(await running(machineWithGroups()));
    expect((await asked(node, call(56, VM1))).payload).toBe(text("posix") + word(9));
    expect((await asked(node, call(57, VM1 + word(1)))).payload).toBe(
      word(1) + parameter("cpu_shares", 4, 100),
    );
    expect(
      errorIn(await asked(node, call(58, VM1 + word(1) + parameter("cpu_shares", 4, 200)))),
    ).toBeUndefined();
    expect((await asked(node, call(57, VM1 + word(1)))).payload).toBe(
      word(1) + parameter("cpu_shares", 4, 200),
    );
  });

  // virTypedParamsValidate() of libvirt
  test.each([
    [
      "an unknown parameter",
      parameter("x", 4, 1),
      1,
      74,
      "argument unsupported: parameter 'x' not supported",
    ],
    [
      "another type",
      parameter("hard_limit", 2, 1),
      1,
      8,
      "invalid argument: invalid type 'uint' for parameter 'hard_limit', expected 'ullong'",
    ],
    [
      "one twice",
      parameter("hard_limit", 4, 1).repeat(2),
      2,
      8,
      "invalid argument: parameter 'hard_limit' occurs multiple times",
    ],
  ])("refuse %s", async (...[, given, count, code, message]) => {
    const machine = await running(machineWithGroups());
    const before = inactive(machine);
    const packet = call(197, VM1 + word(count) + given + word(3));
    expect(errorIn(await asked(nodeOn(machine), packet))).toEqual({ code, domain: 0, message });
    expect(inactive(machine)).toBe(before);
  });

  test("of an interface are seven", async () => {
    const machine = makeMachine();
    const devices = "<interface type='user'><mac address='52:54:00:00:00:01'/></interface>";
    await defineDomain(nodeOn(machine), domainXml({ devices }));
    const node = nodeOn(machine);
    const of = (rest: string): string => VM1 + text("52:54:00:00:00:01") + rest;
    expect((await asked(node, call(257, of(word(0) + word(0))))).payload).toBe(word(0) + word(7));
    const rate = parameter("inbound.average", 2, 100) + parameter("inbound.burst", 2, 5);
    expect(errorIn(await asked(node, call(256, of(word(2) + rate + word(0)))))).toBeUndefined();
    expect(inactive(machine)).toContain("<inbound average='100' burst='5'/>");
    expect((await asked(node, call(257, of(word(7) + word(0))))).payload).toContain(
      parameter("inbound.average", 2, 100),
    );
    const none = parameter("inbound.average", 2, 0) + parameter("inbound.peak", 2, 9);
    expect(errorIn(await asked(node, call(256, of(word(2) + none + word(0)))))).toBeUndefined();
    expect(inactive(machine)).not.toContain("bandwidth");
  });
});
