import { describe, expect, test } from "bun:test";
import { listChangedLimits } from "../../../src/plan/decide/cgroup-change.ts";
import type { GuestGroup } from "../../../src/plan/facts/limits.ts";

const listChanges = (was: GuestGroup, is: GuestGroup) => listChangedLimits(was, is, "0-1");

const group = (
  values: Readonly<Record<string, string>>,
  threads: GuestGroup["threads"] = [],
): GuestGroup => ({
  path: "/sys/fs/cgroup/svirt/a",
  controllers: [],
  values: Object.entries(values).map(([names, value]) => ({ names: names.split("|"), value })),
  threads: [...threads],
});
const vcpu0 = (value: string): GuestGroup["threads"] => [
  { name: "vcpu0", values: [{ names: ["cpu.max"], value }] },
];

describe("listChangedLimits()", () => {
  test("names what differs alone, with what it was", () => {
    expect(
      listChanges(
        group({ "pids.max": "577", "memory.max": "1024" }),
        group({ "pids.max": "577", "memory.max": "2048" }),
      ),
    ).toEqual([{ names: ["memory.max"], value: "2048", before: "1024" }]);
  });

  // cgroups(7): the default of cpu.weight is 100, that of cpu.max is "max 100000" and all others are "max".
  test.each([
    ["memory.max", "1024", "max"],
    ["memory.swap.max", "0", "max"],
    ["cpu.weight", "200", "100"],
    ["cpu.max", "50000 100000", "max 100000"],
    ["io.bfq.weight|io.weight", "default 500", "default 100"],
    ["io.bfq.weight|io.weight", "8:0 500", "8:0 default"],
  ])("takes %s %s away by writing %s, and puts it back", (names, value, reset) => {
    const [one, other] = [group({ [names]: value }), group({})];
    expect(listChanges(one, other)?.map((limit) => [limit.value, limit.before])).toEqual([[reset, value]]);
    expect(listChanges(other, one)?.map((limit) => [limit.value, limit.before])).toEqual([[value, reset]]);
  });

  test("says all of a device's limits, since those that are not said stay", () => {
    expect(
      listChanges(group({ "io.max": "8:0 riops=100 wbps=5" }), group({ "io.max": "8:0 riops=200" })),
    ).toEqual([
      {
        names: ["io.max"],
        value: "8:0 riops=200 wiops=max rbps=max wbps=max",
        before: "8:0 riops=100 wiops=max rbps=max wbps=5",
      },
    ]);
  });

  test("changes groups of threads that are there, and cannot make others", () => {
    expect(listChanges(group({}, vcpu0("1000 5000")), group({}, vcpu0("2000 5000")))).toEqual([
      { threads: "vcpu0", names: ["cpu.max"], value: "2000 5000", before: "1000 5000" },
    ]);
    expect(listChanges(group({}, vcpu0("1000 5000")), group({}))).toEqual([
      { threads: "vcpu0", names: ["cpu.max"], value: "max 100000", before: "1000 5000" },
    ]);
    expect(listChanges(group({}), group({}, vcpu0("1000 5000")))).toBeUndefined();
  });

  test("puts a guest back to all nodes of the host, since the kernel takes no empty list", () => {
    expect(listChanges(group({}), group({ "cpuset.mems": "0" }))).toEqual([
      { names: ["cpuset.mems"], value: "0", before: "0-1" },
    ]);
    expect(listChanges(group({ "cpuset.mems": "0" }), group({}))).toEqual([
      { names: ["cpuset.mems"], value: "0-1", before: "0" },
    ]);
  });
});
