import { describe, expect, test } from "bun:test";
import type { Machine } from "../../memory-host/machine.ts";
import { makeMachine, nodeOn, putText } from "../../scenes/scene.ts";
import { asked, call, errorIn, long, text, word } from "../remote-client.ts";

const NODE = "/sys/devices/system/node";
const KSM = "/sys/kernel/mm/ksm";
/** -1: all processors, all cells, the whole host. */
const ALL = word(-1);

function nodeMachine(): Machine {
  const machine = makeMachine();
  // user nice system idle iowait irq softirq, in ticks of 10 ms. proc_stat(5)
  putText(machine, "/proc/stat", "cpu  10 2 30 400 5 6 7 0 0 0\ncpu1 1 0 3 40 5 0 0 0 0 0\n");
  putText(machine, "/proc/meminfo", "MemTotal: 1000 kB\nMemFree: 400 kB\nBuffers: 10 kB\nCached: 20 kB\n");
  for (const cell of [0, 1]) {
    putText(machine, `${NODE}/node${cell}/cpulist`, `${cell}\n`);
    const lines = `Node ${cell} MemTotal: 500 kB\nNode ${cell} MemFree: ${cell + 1}00 kB\n`;
    putText(machine, `${NODE}/node${cell}/meminfo`, lines);
    putText(machine, `${NODE}/node${cell}/hugepages/hugepages-2048kB/free_hugepages`, `${cell + 3}\n`);
  }
  putText(machine, "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "7\n");
  putText(machine, `${KSM}/pages_to_scan`, "100\n");
  putText(machine, `${KSM}/full_scans`, "5\n");
  return machine;
}

const pairs = (...found: readonly (readonly [string, number])[]): string =>
  word(found.length) +
  found.map(([name, value]) => text(name) + long(BigInt(value))).join("") +
  word(found.length);
const list = (...values: readonly number[]): string =>
  word(values.length) + values.map((value) => long(BigInt(value))).join("");
/** A tick in nanoseconds. */
const TICK = 10_000_000;

describe("a client asks for the node's statistics", () => {
  test.each([
    [
      "of all processors",
      call(227, ALL + word(4) + word(0)),
      pairs(["kernel", 43 * TICK], ["user", 12 * TICK], ["idle", 400 * TICK], ["iowait", 5 * TICK]),
    ],
    [
      "of one processor",
      call(227, word(1) + word(4) + word(0)),
      pairs(["kernel", 3 * TICK], ["user", TICK], ["idle", 40 * TICK], ["iowait", 5 * TICK]),
    ],
    ["and how many there are", call(227, ALL + word(0) + word(0)), word(0) + word(4)],
    [
      "of all memory",
      call(228, word(4) + ALL + word(0)),
      pairs(["total", 1000], ["free", 400], ["buffers", 10], ["cached", 20]),
    ],
    ["of a cell", call(228, word(2) + word(1) + word(0)), pairs(["total", 500], ["free", 200])],
    ["free memory of cells, as many as there are", call(101, word(0) + word(9)), list(102_400, 204_800)],
    ["free memory from a cell on", call(101, word(1) + word(1)), list(204_800)],
    [
      "free pages of each size in each cell",
      call(340, word(2) + word(4) + word(2048) + word(0) + word(2) + word(0)),
      list(25, 3, 50, 4),
    ],
    [
      "free pages of the host",
      call(340, word(2) + word(4) + word(2048) + ALL + word(1) + word(0)),
      list(100, 7),
    ],
    [
      "of same-page merging: an unsigned int, an unsigned long long",
      call(289, word(2) + word(0)),
      word(2) +
        (text("shm_pages_to_scan") + word(2) + word(100)) +
        (text("shm_full_scans") + word(4) + long(5n)) +
        word(2),
    ],
    ["and how many parameters of it there are", call(289, word(0) + word(0)), word(0) + word(2)],
  ])("%s", async (_, packet, expected) => {
    const reply = await asked(nodeOn(nodeMachine()), packet, 1);
    expect([errorIn(reply), reply.payload]).toEqual([undefined, expected]);
  });

  test.each([
    ["of a processor that is not there", call(227, word(9) + word(4) + word(0)), 8],
    ["with room for another number", call(227, ALL + word(3) + word(0)), 8],
    ["of a cell that is not there", call(228, word(2) + word(9) + word(0)), 8],
    ["free memory from a cell that is not there", call(101, word(2) + word(1)), 1],
    ["free pages of a cell that is not there", call(340, word(1) + word(4) + word(2) + word(1) + word(0)), 1],
    ["free pages of a size that is not there", call(340, word(1) + word(5) + word(0) + word(1) + word(0)), 9],
    ["SMBIOS data of a host without", call(203, word(0)), 67],
  ])("%s, and gets libvirt's error", async (_, packet, code) => {
    expect(errorIn(await asked(nodeOn(nodeMachine()), packet, 1))?.code).toBe(code);
  });

  test("of same-page merging in a kernel without it", async () => {
    expect(errorIn(await asked(nodeOn(makeMachine()), call(289, word(0) + word(0)), 1))?.code).toBe(84);
  });
});
