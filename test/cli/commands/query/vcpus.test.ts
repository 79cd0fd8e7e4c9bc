import { describe, expect, test } from "bun:test";
import { decideVcpus, parseVcpuSlots } from "../../../../src/qemu/monitor/vcpu-slots.ts";
import type { Machine } from "../../../memory-host/machine.ts";
import { recordOf } from "../../../scenes/hotplug.ts";
import { errorOf, makeMachine, UUID } from "../../../scenes/scene.ts";
import { runOn } from "../../in-memory.ts";

const XML = `<domain type='kvm'><name>vm1</name><uuid>${UUID}</uuid><memory unit='MiB'>64</memory>
  <vcpu current='2'>4</vcpu><os><type>hvm</type></os></domain>`;

/**
 * Returns the answer of QEMU 10.0 for -smp 2,maxcpus=4,sockets=4, last socket first. `paths` are those of
 * plugged vCPUs.
 */
function hotpluggable(paths: readonly (string | undefined)[]): unknown {
  return paths
    .map((path, socket) => ({
      type: "qemu64-x86_64-cpu",
      "vcpus-count": 1,
      props: { "core-id": 0, "thread-id": 0, "socket-id": socket },
      ...(path === undefined ? {} : { "qom-path": path }),
    }))
    .toReversed();
}

const BOOTED = ["/machine/unattached/device[0]", "/machine/unattached/device[2]"];
const PLUGGED = "/machine/peripheral/vcpu2";

function cpusFast(count: number): unknown {
  return Array.from({ length: count }, (_, at) => ({
    "cpu-index": at,
    "thread-id": 700 + at,
    "qom-path": `cpu${at}`,
  }));
}

function answer(machine: Machine, paths: readonly (string | undefined)[]): void {
  const there = paths.filter((path) => path !== undefined).length;
  machine.qemu = {
    answers: new Map([
      ["query-hotpluggable-cpus", hotpluggable(paths)],
      ["query-cpus-fast", cpusFast(there)],
    ]),
  };
}

/** Returns a machine with three processors and a defined guest that runs with two of four vCPUs. */
async function running(): Promise<Machine> {
  const machine = makeMachine();
  const put = (path: string, text: string): void => {
    machine.files.putFolder(path.slice(0, path.lastIndexOf("/")));
    machine.files.put(path, "file", { bytes: new TextEncoder().encode(text) });
  };
  put("/vm.xml", XML);
  put("/sys/devices/system/cpu/present", "0-2\n");
  await runOn(machine, "define", "/vm.xml");
  expect((await runOn(machine, "start", "vm1")).code).toBe(0);
  answer(machine, [...BOOTED, undefined, undefined]);
  const pid = machine.liveGuests()[0]?.pid ?? 0;
  const fields = "S 1 1 1 0 -1 64 0 0 0 0 700 70 0 0 20 0 3 0 5 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 2 0 0";
  put(`/proc/${pid}/task/700/stat`, `700 (CPU 0/KVM) ${fields}\n`);
  put(`/proc/${pid}/task/700/status`, "Name:\tCPU 0/KVM\nCpus_allowed_list:\t0,2\n");
  put(`/proc/${pid}/task/701/stat`, `701 (CPU 1/KVM) ${fields}\n`);
  put(`/proc/${pid}/task/701/status`, "Cpus_allowed_list:\t0-2\n");
  return machine;
}

describe("svirt vcpuinfo", () => {
  // virsh 11.3.0: names in 15 columns and a blank, a blank line between virtual CPUs.
  test("has virsh's layout", async () => {
    const { out } = await runOn(await running(), "vcpuinfo", "vm1");
    expect(out).toBe(
      [
        "VCPU:           0",
        "CPU:            2",
        "State:          running",
        "CPU time:       7.7s",
        "CPU Affinity:   y-y",
        "",
        "VCPU:           1",
        "CPU:            2",
        "State:          running",
        "CPU time:       7.7s",
        "CPU Affinity:   yyy",
        "\n",
      ].join("\n"),
    );
    expect((await runOn(await running(), "vcpuinfo", "vm1", "--pretty")).out).toContain(
      "CPU Affinity:   0,2 (out of 3)\n",
    );
  });

  test("of a domain that is off knows only where it may run", async () => {
    const machine = await running();
    await runOn(machine, "destroy", "vm1");
    const { out } = await runOn(machine, "vcpuinfo", "vm1");
    expect(out).toStartWith(
      "VCPU:           0\nCPU:            N/A\nState:          N/A\nCPU time:       N/A\nCPU Affinity:   yyy\n",
    );
    expect(out.match(/VCPU/g)).toHaveLength(2);
  });
});

describe("svirt vcpucount", () => {
  test("has virsh's table, and one number for scripts", async () => {
    const machine = await running();
    const counted = async (...words: readonly string[]): Promise<string> =>
      (await runOn(machine, "vcpucount", "vm1", ...words)).out;
    expect(await counted()).toBe(
      [
        "maximum      config         4",
        "maximum      live           4",
        "current      config         2",
        "current      live           2",
        "\n",
      ].join("\n"),
    );
    expect(await counted("--maximum")).toBe("4\n\n");
    expect(await counted("--live")).toBe("2\n\n");
    await runOn(machine, "destroy", "vm1");
    expect(await counted()).toBe("maximum      config         4\ncurrent      config         2\n\n");
    expect((await runOn(machine, "vcpucount", "vm1", "--live")).code).toBe(4);
    expect((await runOn(machine, "vcpucount", "vm1", "--live", "--config")).code).toBe(2);
  });
});

describe("svirt setvcpus", () => {
  test("plugs the lowest free one in, and takes out what it has plugged in", async () => {
    const machine = await running();
    const dry = await runOn(machine, "setvcpus", "vm1", "3", "--dry-run");
    expect(dry.out).toContain("device_add vcpu2");
    expect(await runOn(machine, "setvcpus", "vm1", "3")).toEqual({ code: 0, out: "\n", err: "" });
    expect(machine.liveGuests()[0]?.devices?.has("vcpu2")).toBe(true);
    expect((await runOn(machine, "dumpxml", "vm1")).out).toContain(
      "<vcpu placement='static' current='3'>4</vcpu>",
    );
    expect((await runOn(machine, "dumpxml", "vm1", "--inactive")).out).toContain(
      "<vcpu placement='static' current='2'>4</vcpu>",
    );
    answer(machine, [...BOOTED, PLUGGED, undefined]);
    expect((await runOn(machine, "setvcpus", "vm1", "2", "--live", "--config")).code).toBe(0);
    expect(machine.liveGuests()[0]?.devices?.has("vcpu2")).toBe(false);
  });

  test("leaves nothing to be finished when QEMU refuses to let one go", async () => {
    const machine = await running();
    await runOn(machine, "setvcpus", "vm1", "3");
    answer(machine, [...BOOTED, PLUGGED, undefined]);
    machine.qemu = { ...machine.qemu, refuses: "device_del" };
    const said = await runOn(machine, "setvcpus", "vm1", "2");
    expect([said.code, said.err]).toEqual([1, expect.stringContaining("unable to execute QEMU command")]);
    machine.qemu = {};
    expect((await runOn(machine, "list")).err).toBe("");
    expect(machine.liveGuests()[0]?.devices?.has("vcpu2")).toBe(true);
    expect((await runOn(machine, "dumpxml", "vm1")).out).toContain("current='3'>4</vcpu>");
  });

  test("is taken back when svirt is killed after it was plugged in", async () => {
    const machine = await running();
    await runOn(machine, "setvcpus", "vm1", "4", "--crash-drill", "after:2").catch(() => undefined);
    expect(machine.liveGuests()[0]?.devices?.has("vcpu3")).toBe(true);
    await runOn(machine, "list");
    expect(machine.liveGuests()[0]?.devices?.has("vcpu2")).toBe(false);
    expect(machine.liveGuests()[0]?.devices?.has("vcpu3")).toBe(false);
    expect((await runOn(machine, "dumpxml", "vm1")).out).toContain(
      "<vcpu placement='static' current='2'>4</vcpu>",
    );
  });

  test.each([
    { words: ["5"], code: 2, says: "greater than max allowable vcpus for the live domain: 5 > 4" },
    { words: ["5", "--config"], code: 2, says: "max allowable vcpus for the persistent domain: 5 > 4" },
    { words: ["1"], code: 4, says: "failed to find appropriate hotpluggable vcpus" },
    { words: ["0"], code: 2, says: "Numeric value '0' for <count>" },
    { words: ["8", "--maximum"], code: 2, says: "Option --config is required by option --maximum" },
    {
      words: ["8", "--maximum", "--guest"],
      code: 2,
      says: "Option --config is required by option --maximum",
    },
    { words: ["8", "--maximum", "--guest", "--config"], code: 2, says: "are mutually exclusive" },
    { words: ["8", "--maximum", "--config", "--live"], code: 2, says: "can't be modified on live domain" },
  ])("refuses $words: $says", async ({ code, says, words }) => {
    const machine = await running();
    const said = await runOn(machine, "setvcpus", "vm1", ...words);
    expect([said.code, said.out, said.err]).toEqual([code, "", expect.stringContaining(says)]);
  });

  test("changes the definition, how many there can be as well", async () => {
    const machine = await running();
    const defined = async (): Promise<string> => (await runOn(machine, "dumpxml", "vm1", "--inactive")).out;
    await runOn(machine, "setvcpus", "vm1", "8", "--maximum", "--config");
    expect(await defined()).toContain("<vcpu placement='static' current='2'>8</vcpu>");
    await runOn(machine, "setvcpus", "vm1", "8", "--config");
    expect(await defined()).toContain("<vcpu placement='static'>8</vcpu>");
    await runOn(machine, "setvcpus", "vm1", "1", "--maximum", "--config");
    expect(await defined()).toContain("<vcpu placement='static'>1</vcpu>");
    expect((await runOn(machine, "dumpxml", "vm1")).out).toContain(
      "<vcpu placement='static' current='2'>4</vcpu>",
    );
  });
});

// qemuDomainSetVcpuInternal() of libvirt 11.3.0
describe("svirt setvcpu", () => {
  test("enables the first disabled one, and disables the last enabled one, also of the definition", async () => {
    const machine = await running();
    const set = (...words: readonly string[]) => runOn(machine, "setvcpu", "vm1", ...words);
    expect(await set("2", "--enable", "--live")).toEqual({ code: 0, out: "\n", err: "" });
    expect(machine.liveGuests()[0]?.devices?.has("vcpu2")).toBe(true);
    answer(machine, [...BOOTED, PLUGGED, undefined]);
    expect((await set("2", "--disable")).code).toBe(0);
    expect(machine.liveGuests()[0]?.devices?.has("vcpu2")).toBe(false);
    expect((await set("2-3", "--enable", "--config")).code).toBe(0);
    expect((await runOn(machine, "dumpxml", "vm1", "--inactive")).out).toContain(
      "<vcpu placement='static'>4</vcpu>",
    );
    expect((await set("1-3", "--disable", "--config")).code).toBe(0);
    expect((await runOn(machine, "dumpxml", "vm1", "--inactive")).out).toContain(
      "<vcpu placement='static' current='1'>4</vcpu>",
    );
  });

  test.each([
    { words: ["3", "--enable"], code: 2, says: "would not be the first ones" },
    { words: ["2-3", "--enable"], code: 2, says: "only one hotpluggable entity can be selected" },
    { words: ["1", "--enable"], code: 2, says: "vcpu '1' is already in requested state" },
    { words: ["1", "--disable"], code: 2, says: "vcpu '1' can't be hotunplugged" },
    { words: ["4", "--enable"], code: 2, says: "vcpu 4 is not present in live config" },
    { words: ["4", "--enable", "--config"], code: 2, says: "vcpu 4 is not present in persistent config" },
    { words: ["0", "--disable", "--config"], code: 2, says: "vCPU '0' can't be modified" },
    { words: ["3", "--enable", "--config"], code: 2, says: "would not be the first ones" },
    { words: ["1"], code: 2, says: "one of --enable, --disable is required" },
    { words: ["x", "--enable"], code: 2, says: "Failed to parse bitmap 'x'" },
    { words: ["1", "--enable", "--disable"], code: 2, says: "are mutually exclusive" },
  ])("refuses $words: $says, and changes nothing", async ({ code, says, words }) => {
    const machine = await running();
    const before = recordOf(machine);
    const said = await runOn(machine, "setvcpu", "vm1", ...words);
    expect([said.code, said.out, said.err]).toEqual([code, "", expect.stringContaining(says)]);
    expect(recordOf(machine)).toEqual(before);
    expect((await runOn(machine, "dumpxml", "vm1", "--inactive")).out).toContain("current='2'>4</vcpu>");
  });
});

describe("decideVcpus()", () => {
  test("keeps those that the machine was started with", async () => {
    const slots = parseVcpuSlots(hotpluggable([...BOOTED, PLUGGED, "/machine/peripheral/vcpu3"]));
    expect(decideVcpus(slots, 3)).toEqual({ add: [], remove: ["vcpu3"] });
    expect(decideVcpus(slots, 2)).toEqual({ add: [], remove: ["vcpu3", "vcpu2"] });
    expect(decideVcpus(slots, 4)).toEqual({ add: [], remove: [] });
    expect((await errorOf(Promise.try(() => decideVcpus(slots, 1)))).remedy).toContain(
      "the 2 virtual CPUs that the guest was started with",
    );
  });
});

describe("svirt setmem and setmaxmem", () => {
  test("of a running guest tell a word from a size above its maximum", async () => {
    const machine = await running();
    const maximum = /<memory unit='KiB'>(\d+)</.exec((await runOn(machine, "dumpxml", "vm1")).out)?.[1];
    for (const [size, why] of [
      ["much", "that is not a size"],
      ["99G", `its maximum is ${maximum} KiB`],
    ] as const) {
      const said = await runOn(machine, "setmem", "vm1", size);
      expect([said.code, said.err]).toEqual([
        2,
        expect.stringContaining(`Cannot set the memory of vm1 to ${size}: ${why}\n`),
      ]);
    }
  });

  test("change the definition; what is set never exceeds what there can be", async () => {
    const machine = await running();
    const defined = async (): Promise<string> => (await runOn(machine, "dumpxml", "vm1", "--inactive")).out;
    expect((await runOn(machine, "setmem", "vm1", "32M", "--config")).code).toBe(0);
    expect(await defined()).toContain("<currentMemory unit='KiB'>32768</currentMemory>");
    expect((await runOn(machine, "setmem", "vm1", "65M", "--config")).err).toContain(
      "higher than max memory",
    );
    expect((await runOn(machine, "setmaxmem", "vm1", "16M", "--config")).code).toBe(0);
    expect(await defined()).toContain("<memory unit='KiB'>16384</memory>");
    expect(await defined()).toContain("<currentMemory unit='KiB'>16384</currentMemory>");
    expect((await runOn(machine, "setmaxmem", "vm1", "16M")).err).toContain(
      "cannot resize the maximum memory",
    );
  });
});
