import { describe, expect, test } from "bun:test";
import { getHostname, getUri } from "../../../src/vm/host/host-name.ts";
import { getHostMemory, listFreeMemory } from "../../../src/vm/host/memory.ts";
import {
  countHostProcessors,
  getProcessorMap,
  measureProcessorLoad,
} from "../../../src/vm/host/processors.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { makeMachine, nodeOn, putText } from "../../scenes/scene.ts";

const NODE = "/sys/devices/system/node";

function hostMachine(): Machine {
  const machine = makeMachine();
  putText(machine, "/sys/devices/system/cpu/present", "0-3\n");
  putText(machine, "/sys/devices/system/cpu/online", "0-2\n");
  putText(machine, "/proc/meminfo", "MemTotal: 1000 kB\nMemFree: 400 kB\nBuffers: 10 kB\nCached: 20 kB\n");
  for (const node of [0, 1]) {
    putText(machine, `${NODE}/node${node}/cpulist`, `${node}\n`);
    putText(
      machine,
      `${NODE}/node${node}/meminfo`,
      `Node ${node} MemTotal: 500 kB\nNode ${node} MemFree: ${node}00 kB\n`,
    );
  }
  return machine;
}

describe("listFreeMemory()", () => {
  test("lists that of the host, of each NUMA cell or of one", () => {
    const instance = nodeOn(hostMachine());
    expect(listFreeMemory(instance, "host")).toEqual([{ cell: undefined, freeKiB: 400 }]);
    const cells = [0, 1].map((cell) => ({ cell, freeKiB: cell * 100 }));
    expect(listFreeMemory(instance, "cells")).toEqual(cells);
    expect(listFreeMemory(instance, { cell: 1 })).toEqual(cells.slice(1));
  });

  test("throws for a cell that the host does not have", () => {
    expect(() => listFreeMemory(nodeOn(hostMachine()), { cell: 2 })).toThrow(
      "Cannot show NUMA cell 2: the host has the cells 0, 1",
    );
  });
});

test("getHostMemory() returns the statistics that the kernel has of a cell", () => {
  const instance = nodeOn(hostMachine());
  expect(getHostMemory(instance, undefined)).toEqual({ total: 1000, free: 400, buffers: 10, cached: 20 });
  expect(getHostMemory(instance, 1)).toEqual({ total: 500, free: 100 });
});

test("getProcessorMap() returns the processors, and countHostProcessors() the length of a row for them", () => {
  const instance = nodeOn(hostMachine());
  expect(getProcessorMap(instance)).toEqual({ present: [0, 1, 2, 3], online: [0, 1, 2] });
  expect(countHostProcessors(instance)).toBe(4);
});

test("measureProcessorLoad() returns the shares of the time between two samples", async () => {
  const machine = hostMachine();
  putText(machine, "/proc/stat", "cpu  100 0 100 100 100 0 0\n");
  const instance = nodeOn(machine);
  const host = Object.create(instance.host);
  host.sleep = async (): Promise<void> => putText(machine, "/proc/stat", "cpu  110 0 120 160 110 0 0\n");
  expect(await measureProcessorLoad({ ...instance, host }, undefined)).toEqual([
    ["usage", 30],
    ["user", 10],
    ["system", 20],
    ["idle", 60],
    ["iowait", 10],
  ]);
});

test("getHostname() and getUri() name the host and the instance", () => {
  const machine = hostMachine();
  putText(machine, "/proc/sys/kernel/hostname", "node-1\n");
  expect([getHostname(nodeOn(machine)), getUri(nodeOn(machine))]).toEqual(["node-1", "qemu:///system"]);
});
