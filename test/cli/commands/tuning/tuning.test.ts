import { describe, expect, test } from "bun:test";
import { describe as describeStep } from "../../../../src/plan/steps/describe.ts";
import type { Machine } from "../../../memory-host/machine.ts";
import { GROUP, machineWithGroups, vcpuThreads } from "../../../scenes/groups.ts";
import { recordOf } from "../../../scenes/hotplug.ts";
import { domainXml, sweepAll, UUID } from "../../../scenes/scene.ts";
import { runOn } from "../../in-memory.ts";

const LIMITS = `<vcpu>2</vcpu><memtune><hard_limit unit='MiB'>512</hard_limit></memtune>
  <cputune><quota>50000</quota></cputune>`;

async function runningMachine(lifecycle = LIMITS): Promise<Machine> {
  const machine = machineWithGroups();
  machine.files.put("/vm.xml", "file", { bytes: domainXml({ lifecycle }) });
  await runOn(machine, "define", "/vm.xml");
  await runOn(machine, "start", "vm1");
  return machine;
}

const inactive = async (machine: Machine): Promise<string> =>
  (await runOn(machine, "dumpxml", "vm1", "--inactive")).out;

// The layouts are those of libvirt's tools/virsh-domain.c.

describe("vcpupin", () => {
  test("shows where the vCPUs may run, and pins one while it runs and in the definition", async () => {
    const machine = await runningMachine();
    expect((await runOn(machine, "vcpupin", "vm1")).out).toBe(
      " VCPU   CPU Affinity\n----------------------\n 0      0-3\n 1      0-3\n\n",
    );
    expect(await runOn(machine, "vcpupin", "vm1", "1", "2-3", "--live", "--config")).toEqual({
      code: 0,
      out: "\n",
      err: "",
    });
    expect(machine.threads.get(vcpuThreads(machine)[1] ?? 0)?.cpus).toEqual([2, 3]);
    expect(machine.threads.get(vcpuThreads(machine)[0] ?? 0)?.cpus).toBeUndefined();
    expect((await runOn(machine, "vcpupin", "vm1")).out).toContain(" 1      2-3\n");
    expect(await inactive(machine)).toContain("<vcpupin vcpu='1' cpuset='2-3'/>");
    await runOn(machine, "vcpupin", "vm1", "--vcpu", "1", "--cpulist", "r");
    expect(machine.threads.get(vcpuThreads(machine)[1] ?? 0)?.cpus).toEqual([0, 1, 2, 3]);
    expect(await inactive(machine)).toContain("<vcpupin vcpu='1' cpuset='2-3'/>");
  });

  test.each([
    ["5", "1", "vcpu 5 is out of range"],
    ["0", "1-", "Invalid cpulist '1-'"],
    ["0", "64", "none of them is online"],
    ["x", "1", "Numeric value 'x' for <vcpu> option is malformed"],
  ])("%s %s is refused, and changes nothing", async (vcpu, list, message) => {
    const machine = await runningMachine();
    const before = recordOf(machine);
    expect(await runOn(machine, "vcpupin", "vm1", vcpu, list)).toMatchObject({
      code: 2,
      err: expect.stringContaining(message),
    });
    expect(recordOf(machine)).toEqual(before);
  });
});

test("emulatorpin pins all other threads of QEMU", async () => {
  const machine = await runningMachine();
  await runOn(machine, "emulatorpin", "vm1", "1");
  expect((await runOn(machine, "emulatorpin", "vm1")).out).toBe(
    "emulator: CPU Affinity\n----------------------------------\n       *: 1\n\n",
  );
  const pid = machine.processes.qemuOf(UUID)?.pid ?? 0;
  expect(machine.threads.get(pid)?.cpus).toEqual([1]);
  for (const thread of vcpuThreads(machine)) expect(machine.threads.get(thread)?.cpus).toBeUndefined();
});

describe("memtune", () => {
  test("shows what the kernel has, and changes it", async () => {
    const machine = await runningMachine();
    expect((await runOn(machine, "memtune", "vm1")).out).toBe(
      "hard_limit     : 524288\nsoft_limit     : unlimited\nswap_hard_limit: unlimited\n\n",
    );
    await runOn(machine, "memtune", "vm1", "--hard-limit", "1GiB", "--swap-hard-limit", "2GiB");
    expect(machine.groups.read(`${GROUP}/memory.max`)).toBe(String(2 ** 30));
    expect(machine.groups.read(`${GROUP}/memory.swap.max`)).toBe(String(2 ** 30));
    expect((await runOn(machine, "memtune", "vm1")).out).toContain("swap_hard_limit: 2097152\n");
    await runOn(machine, "memtune", "vm1", "--hard-limit", "-1", "--swap-hard-limit", "-1");
    expect(machine.groups.read(`${GROUP}/memory.max`)).toBe("max");
    expect((await runOn(machine, "memtune", "vm1", "--config")).out).toContain("hard_limit     : 524288\n");
    expect((await runOn(machine, "memtune", "vm1", "--hard-limit", "much")).code).toBe(2);
  });

  // qemuDomainSetMemoryParameters() of libvirt
  test("refuses a limit of memory and swap below that of memory, and leaves both", async () => {
    const machine = await runningMachine();
    for (const words of [
      ["--swap-hard-limit", "1"],
      ["--config", "--swap-hard-limit", "524287"],
      ["--hard-limit", "3GiB", "--swap-hard-limit", "2GiB"],
    ])
      expect(await runOn(machine, "memtune", "vm1", ...words)).toMatchObject({
        code: 2,
        err: expect.stringContaining("must be lower than or equal to swap_hard_limit"),
      });
    expect(machine.groups.read(`${GROUP}/memory.max`)).toBe(String(2 ** 29));
    expect((await runOn(machine, "memtune", "vm1", "--config")).out).toContain(
      "swap_hard_limit: unlimited\n",
    );
    expect((await runOn(machine, "memtune", "vm1", "--swap-hard-limit", "512MiB")).code).toBe(0);
  });

  test("gives a guest the controller that it was started without", async () => {
    const machine = await runningMachine("<vcpu>1</vcpu>");
    expect(machine.groups.read(`${GROUP}/memory.max`)).toBeUndefined();
    expect((await runOn(machine, "memtune", "vm1", "--hard-limit", "1GiB")).err).toBe("");
    expect(machine.groups.read(`${GROUP}/memory.max`)).toBe(String(2 ** 30));
  });
});

test("blkiotune limits devices by their numbers", async () => {
  const machine = await runningMachine();
  await runOn(machine, "blkiotune", "vm1", "--weight", "500", "--device-read-iops-sec", "/dev/vdb,100");
  expect(machine.groups.read(`${GROUP}/io.max`)).toBe("254:16 riops=100 wiops=max rbps=max wbps=max");
  expect((await runOn(machine, "blkiotune", "vm1")).out).toBe(
    "weight         : 500\ndevice_weight  : \ndevice_read_iops_sec: /dev/vdb,100\n" +
      "device_write_iops_sec: \ndevice_read_bytes_sec: \ndevice_write_bytes_sec: \n\n",
  );
  await runOn(machine, "blkiotune", "vm1", "--device-read-iops-sec", "/dev/vdb,0");
  expect(machine.groups.read(`${GROUP}/io.max`)).toBe("254:16 riops=max wiops=max rbps=max wbps=max");
  expect((await runOn(machine, "blkiotune", "vm1", "--device-weights", "/dev/vdb")).code).toBe(2);
});

describe("schedinfo", () => {
  test("shows a guest's shares, and changes them", async () => {
    const machine = await runningMachine();
    const { out } = await runOn(machine, "schedinfo", "vm1", "--set", "cpu_shares=300", "vcpu_quota=20000");
    expect(out).toBe(
      "Scheduler      : posix\ncpu_shares     : 300\nvcpu_period    : 100000\nvcpu_quota     : 20000\n" +
        "emulator_period: 100000\nemulator_quota : -1\nglobal_period  : 100000\nglobal_quota   : -1\n" +
        "iothread_period: 100000\niothread_quota : -1\n\n",
    );
    expect(machine.groups.read(`${GROUP}/vcpu1/cpu.max`)).toBe("20000 100000");
  });

  test("refuses a quota for threads that have no group, and a share that is none", async () => {
    const machine = await runningMachine();
    expect((await runOn(machine, "schedinfo", "vm1", "emulator_quota=5000")).err).toContain(
      "it was started without control groups for its threads",
    );
    expect((await runOn(machine, "schedinfo", "vm1", "cpu_share=5000")).err).toContain(
      "invalid scheduler option: cpu_share=5000",
    );
    expect((await runOn(machine, "schedinfo", "vm1", "cpu_shares=1")).code).toBe(2);
  });
});

test("a change of limits that was killed half way is taken back, and leaves no step behind", async () => {
  const machine = await runningMachine();
  const steps = recordOf(machine).steps.map(describeStep);
  const words = ["schedinfo", "vm1", "--set", "cpu_shares=300"];
  const planned = (await runOn(machine, ...words, "--dry-run")).out;
  expect(planned).toBe(`  1  set cpu.weight to 300 in control group ${GROUP}\n`);
  await runOn(machine, ...words, "--crash-drill", "after:1").catch(() => undefined);
  expect(machine.groups.read(`${GROUP}/cpu.weight`)).toBe("300");
  await sweepAll(machine);
  expect(machine.groups.read(`${GROUP}/cpu.weight`)).toBe("100");
  await runOn(machine, ...words);
  expect(recordOf(machine).steps.map(describeStep)).toEqual(steps);
});

test("a vCPU that comes to a running guest runs where the XML says", async () => {
  const pins = "<cputune><vcpupin vcpu='1' cpuset='2'/></cputune>";
  const machine = await runningMachine(`<vcpu current='1'>2</vcpu>${pins}`);
  const slot = (at: number): object => ({
    type: "qemu64-x86_64-cpu",
    "vcpus-count": 1,
    props: { "socket-id": at },
  });
  const [first = 0] = vcpuThreads(machine);
  machine.files.putFolder(`/proc/${machine.processes.qemuOf(UUID)?.pid}/task/4711`);
  machine.qemu = {
    answers: new Map<string, unknown>([
      ["query-hotpluggable-cpus", [slot(1), { ...slot(0), "qom-path": "/machine/unattached/device[0]" }]],
      [
        "query-cpus-fast",
        [first, 4711].map((thread, at) => ({ "cpu-index": at, "thread-id": thread, "qom-path": `cpu${at}` })),
      ],
    ]),
  };
  expect((await runOn(machine, "setvcpus", "vm1", "2", "--dry-run")).out).toContain("run vcpu 1 on CPUs 2\n");
  expect((await runOn(machine, "setvcpus", "vm1", "2")).err).toBe("");
  expect([machine.threads.get(4711)?.cpus, machine.threads.get(first)?.cpus]).toEqual([[2], undefined]);
  expect(
    recordOf(machine).steps.some((step) => step.do === "tune-threads" && step.before !== undefined),
  ).toBe(false);
});
