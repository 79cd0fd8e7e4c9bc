import { describe, expect, test } from "bun:test";
import type { Claim } from "../../../src/plan/facts/step-parts.ts";
import { listClaimed, listReleased } from "../../../src/plan/record/released-resources.ts";
import type { Step } from "../../../src/plan/steps/step.ts";

const file = { path: "/srv/disk", device: "8:1", inode: "7" };
const claim: Claim = {
  kind: "file",
  key: "inode-8:1-7",
  sharing: "exclusive",
  label: "a:b:c:s0",
  original: "a:b:d:s0",
};
const shared: Claim = { ...claim, sharing: "shared" };
const release = (key: string, kind: Claim["kind"] = "file"): Step => ({
  do: "release",
  claim: { kind, key, sharing: "exclusive" },
});
const any = (key: string, path?: string) => ({ key, path, forbidden: "any" as const });

describe("listReleased()", () => {
  const cases: readonly (readonly [string, readonly Step[], readonly object[]])[] = [
    ["nothing by steps that leave all with the guest", [{ do: "revoke", file, uid: 1 }], []],
    [
      "a label that goes back, with its claim once",
      [{ do: "restore-label", file, claim, from: "a:b:c:s0" }, release("inode-8:1-7")],
      [any("inode-8:1-7", "/srv/disk")],
    ],
    ["a file of which only the claim is known", [release("inode-8:1-7")], [any("inode-8:1-7")]],
    ["a block device", [release("device-7:0")], [any("device-7:0")]],
    ["a tap by its name", [release("vnet0", "tap")], [any("tap-vnet0")]],
    [
      "levels, users, ports, PCI devices and sockets to come: nothing that a process could keep",
      [
        release("s0:c1,c2", "level"),
        release("1879048193", "uid"),
        release("5900", "port"),
        release("0000:06:00.0", "pci"),
        release("socket-8:1-7-6162"),
      ],
      [],
    ],
    [
      "writing to a file that becomes everybody's to read",
      [{ do: "change-label", file, from: claim, to: shared }],
      [{ key: "inode-8:1-7", path: "/srv/disk", forbidden: "writing" }],
    ],
    ["nothing where it becomes the guest's own", [{ do: "change-label", file, from: shared, to: claim }], []],
    [
      "all of a file that is no longer the guest's in any way",
      [{ do: "change-label", file, from: claim, to: shared }, release("inode-8:1-7")],
      [any("inode-8:1-7", "/srv/disk")],
    ],
  ];
  test.each(cases)("gives %s", (_, steps, given) => {
    expect(listReleased(steps)).toEqual(given as never);
  });
});

describe("listReleased() of a tap", () => {
  const tap = { netdev: "hostnet0", queues: ["a"], vhosts: [], hasHeader: true };
  const passTap = (more: { name: string; isMade: boolean; macvtap?: object }): Step => ({
    do: "pass-tap",
    monitor: "/m",
    tap: { ...tap, ...more },
  });
  const given = (done: Step): object | undefined => listReleased([release("vnet0", "tap")], [done])[0];

  test.each([true, false])("tells whether svirt made it: %p", (isMade) => {
    const done = passTap({ name: "vnet0", isMade });
    expect(given(done)).toEqual({ ...any("tap-vnet0"), tap: { name: "vnet0", isMade } });
  });

  test("does not tell it of a macvtap, which is removed first, nor of a tap of another name", () => {
    expect(given(passTap({ name: "vnet0", isMade: false, macvtap: {} }))).toEqual(any("tap-vnet0"));
    expect(given(passTap({ name: "vnet1", isMade: true }))).toEqual(any("tap-vnet0"));
  });
});

test("listClaimed() gives each file that is reserved or labelled, with its path where that is told", () => {
  const steps: readonly Step[] = [
    { do: "reserve", claim },
    { do: "reserve", claim: { kind: "level", key: "s0:c1,c2", sharing: "exclusive" } },
    { do: "reserve", claim: { kind: "file", key: "device-7:0", sharing: "shared" } },
    { do: "reserve", claim: { kind: "tap", key: "vnet0", sharing: "exclusive" } },
    { do: "set-label", file, claim, to: "a:b:c:s0" },
  ];
  expect(listClaimed(steps)).toEqual([
    { key: "inode-8:1-7", path: "/srv/disk" },
    { key: "device-7:0", path: undefined },
    { key: "tap-vnet0", path: undefined },
  ]);
});
