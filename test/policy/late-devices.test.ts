import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { defaultContextOf, parseFileContexts } from "../../src/selinux/file-contexts/look-up.ts";
import { findBuiltPolicy, POLICY_SOURCE } from "./built-policy.ts";
import { namedTransitionsIn } from "./cil.ts";

const folder = findBuiltPolicy();
const CONTEXTS = "etc/selinux/default/contexts/files/file_contexts";
const late = namedTransitionsIn(readFileSync(`${POLICY_SOURCE}/svirt-devices.cil`, "utf8"));

/** Folders in which the kernel creates nodes with these names. Documentation/admin-guide/devices.txt */
const FOLDERS: readonly (readonly [RegExp, string])[] = [
  [/^\d{3}$/, "bus/usb/001/"],
  [/^(?:mice|mouse\d|js\d)$/, "input/"],
  [/^(?:card|renderD)\d+$/, "dri/"],
  [/^tun$/, "net/"],
  [/^control$/, "mapper/"],
  [/^\d+:0:0:0$/, "bsg/"],
];

test.skipIf(folder === undefined)(
  `a device node that comes late has the label that file contexts have for it${folder === undefined ? " (skipped: needs the policy of this checkout, run image/build)" : ""}`,
  () => {
    const path = `${folder}/${CONTEXTS}`;
    const contexts = parseFileContexts({ base: { text: readFileSync(path, "utf8").trimEnd(), path } });
    expect(late.length).toBeGreaterThan(100);
    for (const { name, parent, source, tclass, type } of late) {
      const [, below = ""] = FOLDERS.find(([names]) => names.test(name)) ?? [];
      const kind = tclass === "blk_file" ? "block" : "character";
      expect({ name, label: defaultContextOf(contexts, `/dev/${below}${name}`, kind) }).toEqual({
        name,
        label: `system_u:object_r:${type}:s0`,
      });
      expect([source, parent]).toEqual(["kernel_t", "device_t"]);
    }
  },
);

test("no name is said twice", () => {
  const names = late.map(({ name, tclass }) => `${tclass} ${name}`);
  expect(names).toEqual([...new Set(names)]);
});
