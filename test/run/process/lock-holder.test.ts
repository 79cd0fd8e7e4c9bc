import { describe, expect, test } from "bun:test";
import type { Host } from "../../../src/host/host.ts";
import { getLockHolder, parseLockHolder } from "../../../src/run/process/lock-holder.ts";
import { makeMachine, nodeOn, putText } from "../../scenes/scene.ts";

// As in proc_locks(5), which has the numbers of a device in hexadecimal. svirt writes those of st_dev in
// decimal.
const LOCKS = `1: POSIX  ADVISORY  READ  5433 08:01:7864448 128 128
2: FLOCK  ADVISORY  WRITE 2001 08:01:7864554 0 EOF
3: FLOCK  ADVISORY  WRITE 1568 00:2f:32388 0 EOF
3: -> FLOCK  ADVISORY  WRITE 1600 00:2f:32388 0 EOF
4: FLOCK  ADVISORY  WRITE 0 08:01:99 0 EOF
5: FLOCK  ADVISORY  WRITE 1 08:01:77 0 EOF
`;

describe("parseLockHolder()", () => {
  test.each([
    ["8:1", "7864554", 2001],
    ["0:47", "32388", 1568],
    ["8:1", "32388", undefined],
    ["8:1", "7864448", undefined],
    ["8:1", "99", undefined],
    ["8:1", "77", 1],
  ])("of %s %s is %p", (device, inode, pid) => {
    expect(parseLockHolder(LOCKS, { path: "/run/lock", device, inode })).toBe(pid);
  });
});

test("getLockHolder() is the process that the kernel's list of locks names for that file", () => {
  const machine = makeMachine();
  const { host } = nodeOn(machine);
  putText(machine, "/run/lock", "");
  const id = host.inspectFile("/run/lock")?.id;
  const [major, minor] = (id?.device ?? "")
    .split(":")
    .map((number) => Number(number).toString(16).padStart(2, "0"));
  putText(machine, "/proc/locks", `1: FLOCK  ADVISORY  WRITE 4711 ${major}:${minor}:${id?.inode} 0 EOF\n`);
  const asked: number[] = [];
  const noting: Host = {
    ...host,
    getProcess(pid) {
      asked.push(pid);
      return undefined;
    },
  };
  getLockHolder(noting, "/run/lock");
  getLockHolder(noting, "/run/none");
  expect(asked).toEqual([4711]);
});
