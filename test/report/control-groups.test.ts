import { describe, expect, test } from "bun:test";
import { SYSTEM_PATHS } from "../../src/plan/paths.ts";
import { examineNode } from "../../src/report/doctor.ts";
import { machineWithGroups } from "../scenes/groups.ts";
import { makeMachine, nodeOn } from "../scenes/scene.ts";

const found = async (machine: ReturnType<typeof makeMachine>) =>
  (await examineNode(nodeOn(machine).host, SYSTEM_PATHS)).find(({ check }) => check === "control groups");

describe("examineNode() says of control groups", () => {
  test("what guests can be limited by", async () => {
    expect(await found(machineWithGroups())).toMatchObject({
      verdict: "ok",
      is: "cpu, cpuset, io, memory, pids",
    });
  });

  test("what is not given on, and how it would be", async () => {
    const machine = machineWithGroups();
    machine.groups.mount("cpu pids");
    expect(await found(machine)).toEqual({
      check: "control groups",
      verdict: "warning",
      is: "missing controllers: cpuset, io, memory",
      remedy: "Run: echo +cpuset +io +memory >/sys/fs/cgroup/cgroup.subtree_control",
    });
  });

  test("that there are none, also where they may not be written to or another kind is mounted", async () => {
    const mounts = (text: string) => {
      const machine = machineWithGroups();
      machine.files.get("/proc/self/mounts").bytes = new TextEncoder().encode(text);
      return machine;
    };
    for (const machine of [
      makeMachine(),
      mounts("cgroup2 /sys/fs/cgroup cgroup2 ro,relatime 0 0\n"),
      mounts("cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\ntmpfs /sys/fs/cgroup tmpfs rw 0 0\n"),
    ])
      expect((await found(machine))?.is).toStartWith("none at /sys/fs/cgroup");
  });
});
