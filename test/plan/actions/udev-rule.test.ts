import { expect, test } from "bun:test";
import { formatUdevRule } from "../../../src/plan/actions/udev-rule.ts";

const LABEL = "system_u:object_r:svirt_image_t:s0:c1,c2";

test.each([
  ["block", 'SUBSYSTEM=="block"'],
  // Other devices than block devices have many subsystems.
  ["character", 'SUBSYSTEM!="block"'],
] as const)(
  "a rule for a %s device is for such a one alone: the other kind has the same numbers",
  (type, is) => {
    const file = { path: "/dev/x", device: "5", inode: "7", node: "254:16" };
    const rule = formatUdevRule({ do: "write-udev-rule", file, type, label: LABEL, path: "" });
    expect(rule.split("\n").slice(1)).toEqual([
      `${is}, ENV{MAJOR}=="254", ENV{MINOR}=="16", SECLABEL{selinux}="${LABEL}"`,
      "",
    ]);
  },
);
