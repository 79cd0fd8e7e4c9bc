import { describe, expect, test } from "bun:test";
import { decideTopology, type Seat } from "../../src/report/node-facts.ts";
import { parseProcessorTimes } from "../../src/report/processor-times.ts";
import { runOn } from "../cli/in-memory.ts";
import type { Machine } from "../memory-host/machine.ts";
import { makeMachine } from "../scenes/scene.ts";

const CPU = "/sys/devices/system/cpu";
const NODE = "/sys/devices/system/node";

function put(machine: Machine, path: string, text: string): void {
  machine.files.putFolder(path.slice(0, path.lastIndexOf("/")));
  machine.files.put(path, "file", { bytes: new TextEncoder().encode(text) });
}

/** Returns a host with two NUMA nodes of one socket each, with two cores of two threads. */
function makeHost(): Machine {
  const machine = makeMachine();
  put(machine, `${CPU}/present`, "0-7\n");
  put(machine, `${CPU}/online`, "0-7\n");
  for (let cpu = 0; cpu < 8; cpu += 1) {
    put(machine, `${CPU}/cpu${cpu}/topology/physical_package_id`, `${cpu >> 2}\n`);
    put(machine, `${CPU}/cpu${cpu}/topology/core_id`, `${(cpu >> 1) & 1}\n`);
    put(machine, `${CPU}/cpu${cpu}/topology/die_id`, "0\n");
  }
  put(machine, `${NODE}/node0/cpulist`, "0-3\n");
  put(machine, `${NODE}/node1/cpulist`, "4-7\n");
  // Formats of the kernel: proc_meminfo(5), drivers/base/node.c
  put(machine, `${NODE}/node0/meminfo`, "Node 0 MemTotal:       8000 kB\nNode 0 MemFree:         100 kB\n");
  put(machine, `${NODE}/node1/meminfo`, "Node 1 MemTotal:       8000 kB\nNode 1 MemFree:       20000 kB\n");
  put(
    machine,
    "/proc/meminfo",
    "MemTotal:       16000 kB\nMemFree:        20100 kB\nBuffers:  5 kB\nCached:  6 kB\n",
  );
  put(machine, "/proc/cpuinfo", "processor\t: 0\ncpu MHz\t\t: 2400.123\n");
  put(machine, "/proc/stat", "cpu  10 1 20 300 4 2 3 0 0 0\ncpu0 5 0 6 7 8 0 0 0 0 0\n");
  put(machine, "/proc/sys/kernel/hostname", "node-1\n");
  return machine;
}

async function printed(...words: readonly string[]): Promise<string> {
  const { code, err, out } = await runOn(makeHost(), ...words);
  expect([code, err]).toEqual([0, ""]);
  return out;
}

describe("what virsh tells of the host", () => {
  test("nodeinfo, in virsh's layout", async () => {
    expect(await printed("nodeinfo")).toBe(
      [
        "CPU model:           x86_64",
        "CPU(s):              8",
        "CPU frequency:       2400 MHz",
        "CPU socket(s):       1",
        "Core(s) per socket:  2",
        "Thread(s) per core:  2",
        "NUMA cell(s):        2",
        "Memory size:         16000 KiB",
        "\n",
      ].join("\n"),
    );
  });

  test("nodecpumap, nodememstats, nodecpustats, hostname", async () => {
    expect(await printed("nodecpumap")).toBe(
      "CPUs present:   8\nCPUs online:    8\nCPU map:        yyyyyyyy\n\n",
    );
    expect(await printed("nodecpumap", "--pretty")).toContain("CPU map:        0-7\n");
    expect(await printed("nodememstats")).toBe(
      [
        "total  :                16000 KiB",
        "free   :                20100 KiB",
        "buffers:                    5 KiB",
        "cached :                    6 KiB",
        "\n",
      ].join("\n"),
    );
    expect(await printed("nodememstats", "--cell", "0")).toBe(
      "total  :                 8000 KiB\nfree   :                  100 KiB\n\n",
    );
    expect(await printed("nodecpustats")).toBe(
      [
        "user:                      110000000",
        "system:                    250000000",
        "idle:                     3000000000",
        "iowait:                     40000000",
        "\n",
      ].join("\n"),
    );
    expect(await printed("hostname")).toBe("node-1\n\n");
    expect((await runOn(makeHost(), "nodecpustats", "--cpu", "9")).code).toBe(3);
  });

  test("freecell of all, of one and of each", async () => {
    expect(await printed("freecell")).toBe("Total: 20100 KiB\n\n");
    expect(await printed("freecell", "1")).toBe("1: 20000 KiB\n\n");
    expect(await printed("freecell", "--cellno", "0")).toBe("0: 100 KiB\n\n");
    expect(await printed("freecell", "--all")).toBe(
      [
        "    0:        100 KiB",
        "    1:      20000 KiB",
        "--------------------",
        "Total:      20100 KiB",
        "\n",
      ].join("\n"),
    );
    expect((await runOn(makeHost(), "freecell", "7")).code).toBe(3);
  });

  test("of a host without SMBIOS sysinfo says so", async () => {
    expect((await runOn(makeHost(), "sysinfo")).code).toBe(3);
  });
});

describe("decideTopology()", () => {
  const seat = (cell: number, socket: number, core: string): Seat => ({ cell, socket, core });

  test("takes uneven ones for cores of one socket, and those that are off as well", () => {
    const uneven = [seat(0, 0, "0"), seat(0, 0, "0"), seat(0, 0, "1")];
    expect(decideTopology(uneven, 0)).toEqual({ sockets: 1, cores: 3, threads: 1, cells: 1 });
    expect(decideTopology([seat(0, 0, "0"), seat(0, 1, "0")], 2)).toEqual({
      sockets: 1,
      cores: 4,
      threads: 1,
      cells: 1,
    });
    expect(decideTopology([seat(0, 0, "0"), seat(0, 1, "0")], 0).sockets).toBe(2);
  });
});

test("parseProcessorTimes() knows nothing of a processor that is off", () => {
  expect(parseProcessorTimes("cpu  1 2 3 4\ncpu1 1 2 3 4 5 6 7\n", 0)).toBeUndefined();
  expect(parseProcessorTimes("cpu  1 2 3 4\ncpu1 1 2 3 4 5 6 7\n", 1)?.iowait).toBe(50_000_000);
});
