import { describe, expect, test } from "bun:test";
import { readDefinition } from "../../../src/state/definitions.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { diskXml, domainXml, makeMachine, nodeOn, UUID } from "../../scenes/scene.ts";
import { asked, call, domain, errorIn, long, text, word } from "../remote-client.ts";

// Layouts and numbers from libvirt's remote_protocol.x, words from its qemu_driver.c.

const VM1 = domain("vm1", UUID);
const CONFIG = word(2);
const ullong = (field: string, value: number): string => text(field) + word(4) + long(BigInt(value));
const uint = (field: string, value: number): string => text(field) + word(2) + word(value);
const int = (field: string, value: number): string => text(field) + word(1) + word(value);

const bytes = (byte: string): string => word(1) + byte.padEnd(8, "0");

async function defined(): Promise<Machine> {
  const machine = makeMachine();
  const disks = diskXml("/var/lib/images/private1.raw", "vda");
  await defineDomain(nodeOn(machine), domainXml({ disks, lifecycle: "<iothreads>1</iothreads>" }));
  return machine;
}

const inactive = (machine: Machine): string => readDefinition(nodeOn(machine), "vm1")?.xml ?? "";

describe("limits of a disk", () => {
  test("are twenty, and are set and shown with their types", async () => {
    const machine = await defined();
    const node = nodeOn(machine);
    const get = (count: number): string => call(253, VM1 + word(1) + text("vda") + word(count) + CONFIG);
    expect((await asked(node, call(253, VM1 + word(0) + word(0) + CONFIG))).payload).toBe(word(0) + word(20));
    const given =
      word(3) +
      ullong("total_iops_sec", 70) +
      text("group_name") +
      word(7) +
      text("g") +
      ullong("size_iops_sec", 9);
    expect(errorIn(await asked(node, call(252, VM1 + text("vda") + given + CONFIG)))).toBeUndefined();
    expect(inactive(machine)).toContain("<total_iops_sec>70</total_iops_sec>");
    expect(inactive(machine)).toContain("<group_name>g</group_name>");
    const { payload } = await asked(node, get(20));
    expect(payload).toStartWith(word(20) + ullong("total_bytes_sec", 0) + ullong("read_bytes_sec", 0));
    expect(payload).toContain(ullong("total_iops_sec", 70));
    expect(payload).toEndWith(ullong("write_iops_sec_max_length", 0) + word(0));
    expect((await asked(node, get(1))).payload).toBe(word(1) + ullong("total_bytes_sec", 0) + word(0));
    expect(errorIn(await asked(node, get(33)))?.code).toBe(1);
  });

  test.each([
    [
      "sda",
      ullong("total_iops_sec", 1),
      8,
      "invalid argument: disk 'sda' was not found in the domain config",
    ],
    ["vda", ullong("iops", 1), 74, "argument unsupported: parameter 'iops' not supported"],
    [
      "vda",
      ullong("total_iops_sec_max", 1),
      67,
      "unsupported configuration: value 'total_iops_sec_max' cannot be set if 'total_iops_sec' is not set",
    ],
  ])("of %s are refused in libvirt's words", async (...[disk, given, code, message]) => {
    const machine = await defined();
    const before = inactive(machine);
    const packet = call(252, VM1 + text(disk) + word(1) + given + CONFIG);
    expect(errorIn(await asked(nodeOn(machine), packet))).toMatchObject({ code, message });
    expect(inactive(machine)).toBe(before);
  });
});

describe("I/O threads", () => {
  test("are added, set, pinned and removed", async () => {
    const machine = await defined();
    const node = nodeOn(machine);
    const values = word(2) + uint("poll_grow", 3) + int("thread_pool_max", 8);
    const packets = [
      call(355, VM1 + word(3) + CONFIG),
      call(402, VM1 + word(3) + values + CONFIG),
      call(352, VM1 + word(3) + bytes("01") + CONFIG),
    ];
    for (const packet of packets) expect(errorIn(await asked(node, packet))).toBeUndefined();
    expect(inactive(machine)).toContain("<iothread id='3' thread_pool_max='8'>");
    expect(inactive(machine)).toContain("<poll grow='3'/>");
    expect(inactive(machine)).toContain("<iothreadpin iothread='3' cpuset='0'/>");
    expect(errorIn(await asked(node, call(356, VM1 + word(3) + CONFIG)))).toBeUndefined();
    expect(inactive(machine)).not.toContain("iothreadpin");
    expect(inactive(machine)).toContain("<iothreads>1</iothreads>");
  });

  test.each([
    [355, word(0), "invalid argument: invalid value of 0 for iothread_id"],
    [355, word(1), "invalid argument: an IOThread is already using iothread_id '1'"],
    [356, word(9), "invalid argument: cannot find IOThread '9' in iothreadids list"],
    [352, word(1) + bytes("00"), "invalid argument: Empty iothread cpumap list for pinning"],
    [
      402,
      word(1) + word(1) + int("thread_pool_min", -2),
      "invalid argument: thread_pool_min (-2) must be equal to or greater than 0",
    ],
  ])("%i is refused in libvirt's words", async (number, args, message) => {
    const node = nodeOn(await defined());
    expect(errorIn(await asked(node, call(number, VM1 + args + CONFIG)))).toMatchObject({ code: 8, message });
  });
});
