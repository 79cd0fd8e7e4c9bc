import { describe, expect, test } from "bun:test";
import { parseDomain } from "../../../src/domain/document.ts";
import type { Domain } from "../../../src/domain/domain.ts";
import { decideGroup, type GroupFacts } from "../../../src/plan/decide/cgroup.ts";
import { decideThreads } from "../../../src/plan/decide/threads.ts";
import { describeGroup, describeThreadSettings } from "../../../src/plan/facts/describe-limits.ts";
import type { GuestGroup } from "../../../src/plan/facts/limits.ts";

const UUID = "11111111-2222-4333-8444-000000000001";
const FACTS: GroupFacts = {
  root: "/sys/fs/cgroup",
  controllers: new Set(["cpuset", "cpu", "io", "memory", "pids"]),
  nodes: [0, 1],
  deviceNumber: (path) => (path === "/dev/vdb" ? "254:16" : undefined),
  hasGroup: (path) => path === "/sys/fs/cgroup/production",
};

function domainOf(inside: string, vcpu = "<vcpu>2</vcpu>", devices = ""): Domain {
  const xml = `<domain type='kvm'><name>a</name><memory unit='MiB'>64</memory>${vcpu}${inside}<os><type>hvm</type></os><devices>${devices}</devices></domain>`;
  return parseDomain(new TextEncoder().encode(xml), UUID);
}

function groupOf(inside: string, facts = FACTS, devices = ""): GuestGroup | undefined {
  return decideGroup(domainOf(inside, "<vcpu>2</vcpu>", devices), UUID, facts);
}

/** Returns each limit as `FILE VALUE`. */
function limitsOf(inside: string, devices = ""): string[] {
  return (groupOf(inside, FACTS, devices)?.values ?? []).map(
    ({ names, value }) => `${names.join("|")} ${value}`,
  );
}

describe("decideGroup()", () => {
  test("gives every guest a group of its own and a bound for its threads", () => {
    // 512 for QEMU itself, one per vCPU, and 64 for the main loop's pool.
    expect(groupOf("")).toEqual({
      path: `/sys/fs/cgroup/svirt/${UUID}`,
      controllers: ["pids"],
      values: [{ names: ["pids.max"], value: "578" }],
      threads: [],
    });
    expect(limitsOf("<iothreads>2</iothreads>")).toEqual(["pids.max 708"]);
    const pool = "<iothreads>1</iothreads><defaultiothread thread_pool_max='100'/>";
    expect(limitsOf(pool)).toEqual(["pids.max 679"]);
    const card =
      "<interface type='bridge'><source bridge='br0'/><model type='virtio'/><driver queues='8'/></interface>";
    expect(limitsOf("", card)).toEqual(["pids.max 586"]);
  });

  test("asks nothing of a host without control groups, for a guest that wants no limit", () => {
    expect(groupOf("", { ...FACTS, root: undefined })).toBeUndefined();
    expect(groupOf("", { ...FACTS, controllers: new Set() })?.values).toEqual([]);
  });

  // https://libvirt.org/formatdomain.html#memory-tuning: swap_hard_limit is memory plus swap. cgroups(7):
  // swap alone
  test.each([
    ["<hard_limit unit='MiB'>512</hard_limit>", ["memory.max 536870912", "memory.swap.max 0"].slice(0, 1)],
    ["<soft_limit unit='KiB'>1024</soft_limit>", ["memory.high 1048576"]],
    [
      "<hard_limit unit='MiB'>512</hard_limit><swap_hard_limit unit='MiB'>768</swap_hard_limit>",
      ["memory.max 536870912", "memory.swap.max 268435456"],
    ],
    ["<hard_limit>9007199254740991</hard_limit>", ["memory.max max"]],
  ])("limits memory: %s", (inside, limits) => {
    expect(limitsOf(`<memtune>${inside}</memtune>`).slice(1)).toEqual(limits);
  });

  test("limits disks by their weight and by device", () => {
    const device = `<device><path>/dev/vdb</path><weight>200</weight><read_iops_sec>100</read_iops_sec>
      <write_bytes_sec>1048576</write_bytes_sec><write_iops_sec>0</write_iops_sec></device>`;
    expect(limitsOf(`<blkiotune><weight>500</weight>${device}</blkiotune>`).slice(1)).toEqual([
      "io.bfq.weight|io.weight default 500",
      "io.bfq.weight|io.weight 254:16 200",
      "io.max 254:16 riops=100 wiops=max wbps=1048576",
    ]);
    expect(() =>
      groupOf("<blkiotune><device><path>/dev/null</path><weight>200</weight></device></blkiotune>"),
    ).toThrow("it must be a block device");
  });

  test("limits processors, the guest's as a whole and those of its threads", () => {
    const group = groupOf(`<cputune><shares>2048</shares><period>50000</period><quota>25000</quota>
      <global_quota>-1</global_quota><emulator_quota>10000</emulator_quota></cputune>`);
    if (group === undefined) throw new Error("there is no group");
    expect(describeGroup(group)).toBe(
      `create control group /sys/fs/cgroup/svirt/${UUID} (pids.max 578, cpu.weight 2048, cpu.max max 100000, ` +
        "emulator/cpu.max 10000 100000, vcpu0/cpu.max 25000 50000, vcpu1/cpu.max 25000 50000)",
    );
    expect(group.controllers).toEqual(["cpu", "pids"]);
  });

  test("refuses shares that the kernel does not take, in libvirt's words", () => {
    expect(() => groupOf("<cputune><shares>20000</shares></cputune>")).toThrow(
      "cpu.weight '20000' must be in range [1, 10000]",
    );
  });

  test("takes memory from the nodes that are strictly asked for", () => {
    expect(limitsOf("<numatune><memory mode='strict' nodeset='0,2-3'/></numatune>").slice(1)).toEqual([
      "cpuset.mems 0,2-3",
    ]);
    expect(limitsOf("<numatune><memory mode='preferred' nodeset='0'/></numatune>").slice(1)).toEqual([]);
  });

  // domain/202-numa-set-parameters.t of libvirt-TCK, on a host with control groups of version 1
  test("limits nothing by all nodes of a host that has no controller for nodes", () => {
    const xml = "<numatune><memory mode='strict' nodeset='0-1'/></numatune>";
    expect(groupOf(xml, { ...FACTS, root: undefined, controllers: new Set() })).toBeUndefined();
    expect(groupOf(xml, { ...FACTS, controllers: new Set() })?.values).toEqual([]);
    expect(limitsOf(xml).slice(1)).toEqual(["cpuset.mems 0-1"]);
  });

  test("puts the guest into the partition that is there", () => {
    const resource = (path: string): string => `<resource><partition>${path}</partition></resource>`;
    expect(groupOf(resource("/production"))?.path).toBe(`/sys/fs/cgroup/production/${UUID}`);
    for (const path of ["/test", "/"])
      expect(() => groupOf(resource(path))).toThrow("Cannot put the guest into the partition");
  });

  test.each([
    ["<memtune><hard_limit>1</hard_limit></memtune>", "memtune", "memory"],
    ["<blkiotune><weight>500</weight></blkiotune>", "blkiotune", "io"],
    ["<cputune><quota>1000</quota></cputune>", "cputune", "cpu"],
    ["<numatune><memory mode='strict' nodeset='0'/></numatune>", "numatune/memory", "cpuset"],
  ])("refuses %s where the host has not the controller", (inside, place, controller) => {
    const controllers = new Set([...FACTS.controllers].filter((name) => name !== controller));
    const why = `Cannot apply /domain/${place}: the host has no controller "${controller}"`;
    expect(() => groupOf(inside, { ...FACTS, controllers })).toThrow(why);
    expect(() => groupOf(inside, { ...FACTS, root: undefined })).toThrow(why);
  });
});

describe("decideThreads()", () => {
  const settings = (inside: string, vcpu?: string): string[] => {
    const domain = domainOf(inside, vcpu);
    return decideThreads(domain, decideGroup(domain, UUID, FACTS)).map(describeThreadSettings);
  };

  test("says nothing of a guest whose XML says nothing", () => {
    expect(settings("")).toEqual([]);
  });

  // https://libvirt.org/formatdomain.html#cpu-tuning: threads without their own pin are pinned as <vcpu
  // cpuset> says.
  test("pins each thread by its own pin, and all others where the guest's are", () => {
    const pins = "<vcpupin vcpu='1' cpuset='3'/><emulatorpin cpuset='0'/>";
    expect(
      settings(`<iothreads>1</iothreads><cputune>${pins}</cputune>`, "<vcpu cpuset='1-2'>2</vcpu>"),
    ).toEqual(["emulator on CPUs 0", "vcpu 0 on CPUs 1-2", "vcpu 1 on CPUs 3", "iothread 1 on CPUs 1-2"]);
  });

  test("pins those vCPUs alone that are there", () => {
    expect(settings("", "<vcpu cpuset='1' current='1'>4</vcpu>")).toEqual([
      "emulator on CPUs 1",
      "vcpu 0 on CPUs 1",
    ]);
  });

  test("schedules threads, and puts them into the groups that have their limits", () => {
    const cputune = `<cputune><quota>25000</quota><vcpusched vcpus='0' scheduler='fifo' priority='5'/>
      <emulatorsched scheduler='batch'/></cputune>`;
    expect(settings(cputune)).toEqual([
      "emulator as batch 0",
      `vcpu 0 into /sys/fs/cgroup/svirt/${UUID}/vcpu0 as fifo 5`,
      `vcpu 1 into /sys/fs/cgroup/svirt/${UUID}/vcpu1`,
    ]);
  });
});
