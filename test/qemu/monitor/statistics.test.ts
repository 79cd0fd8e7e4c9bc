import { describe, expect, test } from "bun:test";
import { qcodeOf } from "../../../src/qemu/monitor/key-codes.ts";
import { parseBalloonKiB, parseBlockStatistics } from "../../../src/qemu/monitor/statistics.ts";

// Shapes of the examples in QEMU's qapi/block-core.json and qapi/machine.json.

const stats = {
  flush_total_time_ns: 49_653,
  wr_highest_offset: 9_122_816,
  wr_total_time_ns: 313_253_456,
  failed_wr_operations: 0,
  wr_merged: 0,
  wr_bytes: 9_736_704,
  rd_total_time_ns: 3_465_673_657,
  flush_operations: 61,
  wr_operations: 751,
  rd_bytes: 122_739_200,
  rd_operations: 36_772,
};

describe("parseBlockStatistics()", () => {
  test("knows the device by its id, or by the path of what serves it", () => {
    const answer = [
      { device: "", qdev: "ide0-0-0", stats },
      {
        device: "",
        qdev: "/machine/peripheral/virtio-disk0/virtio-backend",
        stats: { ...stats, rd_operations: 7 },
      },
      { "node-name": "libvirt-1-storage", stats },
    ];
    const found = parseBlockStatistics(answer);
    expect([...found.keys()]).toEqual(["ide0-0-0", "virtio-disk0"]);
    expect(found.get("virtio-disk0")?.readRequests).toBe(7);
    expect(found.get("ide0-0-0")).toEqual({
      readRequests: 36_772,
      readBytes: 122_739_200,
      writeRequests: 751,
      writeBytes: 9_736_704,
      flushRequests: 61,
      readNs: 3_465_673_657,
      writeNs: 313_253_456,
      flushNs: 49_653,
      highestByte: 9_122_816,
    });
  });

  test("has the highest byte of the file below an image, or of a raw image itself", () => {
    const highest = (...below: readonly object[]) =>
      parseBlockStatistics([Object.assign({ qdev: "a", stats }, ...below)]).get("a")?.highestByte;
    expect(highest()).toBe(9_122_816);
    expect(highest({ parent: { stats: { wr_highest_offset: 7 } } })).toBe(7);
  });

  test("refuses what a QEMU that was taken over might say instead", () => {
    for (const answer of [undefined, {}, "many", [{ qdev: "a", stats: { ...stats, rd_bytes: "all" } }]])
      expect(() => parseBlockStatistics(answer)).toThrow("Cannot read QEMU's answer to query-blockstats");
  });
});

test("parseBalloonKiB() gives KiB", () => {
  expect(parseBalloonKiB({ actual: 1_073_741_824 })).toBe(1_048_576);
  expect(() => parseBalloonKiB({ actual: -1 })).toThrow("query-balloon");
});

test("qcodeOf() takes Linux's names and numbers", () => {
  expect(["KEY_LEFTCTRL", "KEY_DELETE", "KEY_A", "30", "KEY_ENTER", "KEY_F12"].map(qcodeOf)).toEqual([
    "ctrl",
    "delete",
    "a",
    "a",
    "ret",
    "f12",
  ]);
  expect(["A", "key_a", "0", "KEY_NOTHING"].map(qcodeOf)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
