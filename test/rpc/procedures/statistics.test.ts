import { describe, expect, test } from "bun:test";
import { typedStatistic } from "../../../src/rpc/procedures/statistics/typed-statistic.ts";
import type { TypedValue } from "../../../src/rpc/xdr/typed-parameter.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { diskXml, domainXml, makeMachine, nodeOn, OTHER, putText, UUID } from "../../scenes/scene.ts";
import { asked, call, domain, errorIn, text, word } from "../remote-client.ts";

/** Returns a number of 64 bits in hexadecimal digits. */
const long = (value: number): string => value.toString(16).padStart(16, "0");
/** Returns a typed parameter: int is type 1, long long type 3. */
const int = (field: string, value: number): string => text(field) + word(1) + word(value);
const llong = (field: string, value: number): string => text(field) + word(3) + long(value);

const STATS = {
  ...{ rd_operations: 11, rd_bytes: 512, rd_total_time_ns: 7 },
  ...{ wr_operations: 12, wr_bytes: 1024, wr_total_time_ns: 8 },
  ...{ flush_operations: 13, flush_total_time_ns: 9 },
};
const CARD =
  "<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/><model type='virtio'/></interface>";
const EMPTY_DRIVE = "<disk type='file' device='cdrom'><target dev='sda' bus='sata'/><readonly/></disk>";
const OFF = domain("vm2", OTHER);
const ON = domain("vm1", UUID, 1);
const GONE = domain("vm9", "99999999-9999-4999-8999-999999999999");

/** Returns a machine with a running guest that has a disk and a tap, vm1, and a domain that is off, vm2. */
async function machineWithTwo(): Promise<Machine> {
  const machine = makeMachine();
  machine.taps.addBridge("br0");
  machine.qemu = {
    answers: new Map<string, unknown>([
      ["query-blockstats", [{ qdev: "/machine/peripheral/virtio-disk0/virtio-backend", stats: STATS }]],
      ["query-balloon", { actual: 64 * 1024 * 1024 }],
      ["qom-get", { stats: { "stat-free-memory": 4096, "stat-major-faults": 3 }, "last-update": 17 }],
    ]),
  };
  const disks = diskXml("/var/lib/images/top.qcow2", "vda") + EMPTY_DRIVE;
  await startDomain(nodeOn(machine), domainXml({ disks, devices: CARD }));
  await defineDomain(nodeOn(machine), domainXml({ name: "vm2", uuid: OTHER }));
  return machine;
}

/** Arguments of virConnectGetAllDomainStats(). */
function allStats(domains: readonly string[], stats: number, flags = 0): string {
  return call(344, word(domains.length) + domains.join("") + word(stats) + word(flags));
}

/** Record of a domain with its state and reason: VIR_DOMAIN_STATS_STATE. */
const stateOf = (dom: string, state: number, reason: number): string =>
  dom + word(2) + int("state.state", state) + int("state.reason", reason);

describe("virConnectGetAllDomainStats()", () => {
  const [RUNNING, SHUT_OFF] = [stateOf(ON, 1, 1), stateOf(OFF, 5, 0)];

  test.each<[string, string[], number, string]>([
    ["of all domains", [], 0, word(2) + RUNNING + SHUT_OFF],
    ["of domains that are off", [], 2, word(1) + SHUT_OFF],
    ["of running persistent domains", [], 1 | 4, word(0)],
    ["of the named domains that still exist", [OFF, GONE], 0, word(1) + SHUT_OFF],
    ["of no domain if the named one is gone", [GONE], 0, word(0)],
    ["of a domain once, however often it is named", [OFF, OFF, OFF], 0, word(1) + SHUT_OFF],
    ["without waiting, as virsh domstats --nowait", [OFF], 2 ** 29, word(1) + SHUT_OFF],
  ])("returns the statistics %s", async (...[, domains, flags, expected]) => {
    const instance = nodeOn(await machineWithTwo());
    expect((await asked(instance, allStats(domains, 1, flags))).payload).toBe(expected);
  });

  test("returns all groups if none is named", async () => {
    const { payload } = await asked(nodeOn(await machineWithTwo()), allStats([OFF], 0));
    // Unsigned int is type 2, unsigned long long type 4.
    expect(payload).toContain(text("vcpu.maximum") + word(2) + word(1));
    expect(payload).toContain(text("balloon.maximum") + word(4) + long(65_536));
  });

  test("refuses an unknown group only if the client enforces its groups", async () => {
    const instance = nodeOn(await machineWithTwo());
    expect((await asked(instance, allStats([OFF], (2 ** 20) | 1))).payload).toBe(word(1) + SHUT_OFF);
    expect(errorIn(await asked(instance, allStats([OFF], (2 ** 20) | 1, 2 ** 31)))).toEqual({
      code: 74,
      domain: 10,
      message: "argument unsupported: Stats types bits 0x100000 are not supported by this daemon or QEMU",
    });
  });

  test("refuses other flags", async () => {
    expect(errorIn(await asked(nodeOn(await machineWithTwo()), allStats([], 0, 2 ** 20)))?.message).toBe(
      "unsupported flags (0x100000) in function qemuConnectGetAllDomainStats",
    );
  });

  test("leaves a guest whose QEMU does not answer without statistics, and fails if it is the only one", async () => {
    const machine = await machineWithTwo();
    machine.qemu = { monitor: "silent" };
    const { payload } = await asked(nodeOn(machine), allStats([], 1));
    expect(payload).toBe(word(2) + ON + word(0) + SHUT_OFF);
    expect(errorIn(await asked(nodeOn(machine), allStats([ON], 1)))?.code).toBe(68);
  });
});

// Types as documented for virConnectGetAllDomainStats() and as libvirt's binding for Go reads them.
test.each<[string, number | string, TypedValue]>([
  ["state.reason", 1, { type: "int", value: 1 }],
  ["cpu.time", 2 ** 53, { type: "ullong", value: 2n ** 53n }],
  ["balloon.current", 65_536, { type: "ullong", value: 65_536n }],
  ["vcpu.current", 1, { type: "uint", value: 1 }],
  ["vcpu.0.state", 1, { type: "int", value: 1 }],
  ["vcpu.0.time", 5, { type: "ullong", value: 5n }],
  ["vcpu.0.exits.sum", 5, { type: "ullong", value: 5n }],
  ["vcpu.0.guest_mode.cur", "no", { type: "boolean", value: false }],
  ["net.count", 1, { type: "uint", value: 1 }],
  ["net.0.name", "yes", { type: "string", value: "yes" }],
  ["net.0.rx.bytes", 1, { type: "ullong", value: 1n }],
  ["block.count", 1, { type: "uint", value: 1 }],
  ["block.0.backingIndex", 1, { type: "uint", value: 1 }],
  ["block.0.rd.reqs", 1, { type: "ullong", value: 1n }],
  ["iothread.1.poll-max-ns", 1, { type: "ullong", value: 1n }],
  ["iothread.1.poll-grow", 1, { type: "uint", value: 1 }],
  ["iothread.1.poll-shrink", 2 ** 32, { type: "ullong", value: 2n ** 32n }],
  ["dirtyrate.calc_period", 1, { type: "int", value: 1 }],
  ["dirtyrate.calc_start_time", 1, { type: "llong", value: 1n }],
  ["dirtyrate.calc_mode", "page-sampling", { type: "string", value: "page-sampling" }],
  ["vm.pages_4k.cur", 1, { type: "ullong", value: 1n }],
])("%s has libvirt's type", (field, statistic, value) => {
  expect(typedStatistic([field, statistic])).toEqual({ field, value });
});

describe("the statistics of one domain", () => {
  test("of a disk are libvirt's five numbers, with errors that are not counted", async () => {
    const instance = nodeOn(await machineWithTwo());
    const expected = [11, 512, 12, 1024].map(long).join("") + "ff".repeat(8);
    expect((await asked(instance, call(64, ON + text("vda")))).payload).toBe(expected);
    expect((await asked(instance, call(64, ON + text("")))).payload).toBe(expected);
    expect(errorIn(await asked(instance, call(64, ON + text("vdz"))))).toMatchObject({
      code: 8,
      message: "invalid path: vdz",
    });
  });

  test("of a disk are parameters whose number a client asks for first, as virsh does", async () => {
    const instance = nodeOn(await machineWithTwo());
    const disk = (most: number): string => call(243, ON + text("vda") + word(most) + word(4));
    expect((await asked(instance, disk(0))).payload).toBe(word(0) + word(8));
    const [first, second] = [llong("wr_bytes", 1024), llong("wr_operations", 12)];
    expect((await asked(instance, disk(2))).payload).toBe(word(2) + first + second + word(0));
    const { payload } = await asked(instance, disk(8));
    for (const one of [llong("rd_total_times", 7), llong("flush_operations", 13)])
      expect(payload).toContain(one);
  });

  test("of an interface are the counters of its guest", async () => {
    const machine = await machineWithTwo();
    for (const [at, name] of ["bytes", "packets", "errors", "dropped"].entries()) {
      putText(machine, `/sys/class/net/vnet0/statistics/rx_${name}`, `${at + 5}\n`);
      putText(machine, `/sys/class/net/vnet0/statistics/tx_${name}`, `${at + 1}\n`);
    }
    const instance = nodeOn(machine);
    const { payload } = await asked(instance, call(65, ON + text("vnet0")));
    expect(payload).toBe([1, 2, 3, 4, 5, 6, 7, 8].map(long).join(""));
    expect(errorIn(await asked(instance, call(65, ON + text("vnet9"))))?.code).toBe(8);
  });

  test("of the memory have libvirt's tags, and no more than asked for", async () => {
    const instance = nodeOn(await machineWithTwo());
    const memory = (most: number): string => call(159, ON + word(most) + word(0));
    const tagged = (tag: number, value: number): string => word(tag) + long(value);
    const { payload } = await asked(instance, memory(13));
    // VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT, _UNUSED, _ACTUAL_BALLOON and _LAST_UPDATE of libvirt-domain.h
    for (const one of [tagged(2, 3), tagged(4, 4), tagged(6, 65_536), tagged(9, 17)])
      expect(payload).toContain(one);
    expect((await asked(instance, memory(1))).payload).toBe(word(1) + tagged(6, 65_536));
  });

  test("of an image are its sizes, and an error without an image", async () => {
    const instance = nodeOn(await machineWithTwo());
    const info = (disk: string): string => call(194, ON + text(disk) + word(0));
    expect((await asked(instance, info("vda"))).payload).toHaveLength(3 * 16);
    expect(errorIn(await asked(instance, info("sda")))).toMatchObject({
      code: 8,
      message: "invalid argument: disk 'sda' does not currently have a source assigned",
    });
    expect(errorIn(await asked(instance, info("vdz")))).toMatchObject({
      code: 8,
      message: "invalid argument: invalid path vdz not assigned to domain",
    });
  });

  test("of the monitor say whether QEMU answers", async () => {
    const machine = await machineWithTwo();
    const control = call(229, ON + word(0));
    // VIR_DOMAIN_CONTROL_OK, and VIR_DOMAIN_CONTROL_ERROR for the reason
    // VIR_DOMAIN_CONTROL_ERROR_REASON_MONITOR
    expect((await asked(nodeOn(machine), control)).payload).toBe(word(0) + word(0) + long(0));
    machine.qemu = { monitor: "silent" };
    expect((await asked(nodeOn(machine), control)).payload).toBe(word(3) + word(2) + long(0));
    expect(errorIn(await asked(nodeOn(machine), call(229, OFF + word(0))))?.code).toBe(55);
  });

  test("of the processors have a total, and none for each processor", async () => {
    const machine = await machineWithTwo();
    const pid = machine.processes.qemuOf(UUID)?.pid ?? 0;
    // Fields 14 and 15 of proc_pid_stat(5): 1.5 s and 0.5 s in ticks.
    const fields = new Array(37).fill(0).with(11, 150).with(12, 50).with(0, "S");
    putText(machine, `/proc/${pid}/stat`, `${pid} (qemu) ${fields.join(" ")}\n`);
    const instance = nodeOn(machine);
    const cpu = (most: number, first: number): string =>
      call(262, ON + word(most) + word(first) + word(1) + word(4));
    expect((await asked(instance, cpu(0, -1))).payload).toBe(word(0) + word(3));
    const { payload } = await asked(instance, cpu(3, -1));
    const time = (name: string, ns: number): string => text(name) + word(4) + long(ns);
    const times = [time("cpu_time", 2e9), time("user_time", 1.5e9), time("system_time", 0.5e9)];
    expect(payload).toBe(word(3) + times.join("") + word(3));
    expect(errorIn(await asked(instance, cpu(3, 0)))?.code).toBe(84);
  });
});

describe("virDomainInterfaceAddresses()", () => {
  test("returns what the host knows of its neighbours", async () => {
    const machine = await machineWithTwo();
    putText(
      machine,
      "/proc/net/arp",
      "IP HW Flags MAC Mask Device\n10.0.0.7 0x1 0x2 52:54:00:00:00:01 * br0\n",
    );
    // VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP, and VIR_IP_ADDR_TYPE_IPV4 with an unknown prefix
    const { payload } = await asked(nodeOn(machine), call(353, ON + word(2) + word(0)));
    const address = word(1) + word(0) + text("10.0.0.7") + word(0);
    expect(payload).toBe(word(1) + text("vnet0") + word(1) + text("52:54:00:00:00:01") + address);
  });

  test("asks no guest for a connection for reading", async () => {
    const instance = nodeOn(await machineWithTwo());
    expect(errorIn(await asked(instance, call(353, ON + word(1) + word(0)), 1))).toEqual({
      code: 29,
      domain: 20,
      message: "operation forbidden: read only access prevents virDomainInterfaceAddresses",
    });
    expect((await asked(instance, call(353, ON + word(0) + word(0)), 1)).payload).toBe(word(0));
  });

  test("refuses a source that libvirt does not have", async () => {
    expect(
      errorIn(await asked(nodeOn(await machineWithTwo()), call(353, ON + word(3) + word(0)))),
    ).toMatchObject({
      code: 74,
      message: "argument unsupported: Unknown IP address data source 3",
    });
  });
});
