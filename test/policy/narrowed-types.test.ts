// In turn: it takes seconds of a processor.
import { expect, test } from "bun:test";
import { binaryOf, findBuiltPolicy, needsSetools, type Policy, readPolicy } from "./built-policy.ts";
import { isOf, membersOf } from "./names.ts";

const folder = findBuiltPolicy();
const missing =
  folder === undefined
    ? " (skipped: the policy of this checkout is not built, run image/build)"
    : needsSetools;

/** Types that svirt gives to a part of another type's files, with that type and the classes of the part. */
const NARROWED = [
  { type: "svirt_topology_t", was: "sysfs_t", classes: ["dir", "file"] },
  { type: "svirt_open_most_t", was: "sysctl_fs_t", classes: ["file"] },
] as const;
const READING = ["getattr", "open", "read", "search"];

/** Returns each "DOMAIN CLASS PERMISSION" of reading that unconditional rules give on a type. */
function readersOf(policy: Policy, type: string, classes: readonly string[]): ReadonlySet<string> {
  const readers = new Set<string>();
  for (const { condition, permissions, source, target, tclass } of policy.rules) {
    if (condition !== "" || !classes.includes(tclass) || !isOf(policy, target, type)) continue;
    const reading = permissions.filter((permission) => READING.includes(permission));
    for (const domain of reading.length === 0 ? [] : membersOf(policy, source))
      for (const permission of reading) readers.add(`${domain} ${tclass} ${permission}`);
  }
  return readers;
}

/** Guests need no access to the rest. */
const isGuest = (reader: string): boolean => /^svirt_/.test(reader);

test.skipIf(missing !== "")(
  `who may read /sys and /proc/sys/fs may read what of it has a type of svirt's${missing}`,
  () => {
    const policy = readPolicy(binaryOf(folder ?? ""));
    for (const { type, was, classes } of NARROWED) {
      const now = readersOf(policy, type, classes);
      const before = [...readersOf(policy, was, classes)].filter((reader) => !isGuest(reader));
      expect({ type, count: before.length > 100 }).toEqual({ type, count: true });
      expect({ type, lost: before.filter((reader) => !now.has(reader)) }).toEqual({ type, lost: [] });
    }
  },
  120_000,
);
