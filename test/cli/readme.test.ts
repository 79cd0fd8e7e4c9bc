import { expect, test } from "bun:test";
import { qcow2Bytes } from "../images/qcow2-bytes.ts";
import { machineWithGroups } from "../scenes/groups.ts";
import { runOn } from "./in-memory.ts";

const ROOT = new URL("../../", import.meta.url);
const fileOf = async (path: string): Promise<string> => await Bun.file(new URL(path, ROOT)).text();

/** Removes the numbers of inodes and devices, which differ on each machine. */
const withoutNumbers = (text: string): string => text.replace(/(inode|device)-[\d:-]+/g, "$1");

/** Returns the output that README.md shows after that command. */
async function shown(command: string): Promise<string> {
  const [, after = ""] = (await fileOf("README.md")).split(`    node# ${command}\n`);
  return (after.split("\n\n")[0] ?? "").replace(/^ {4}/gm, "");
}

test("the plan in README.md's tour is the one that svirt makes of the demo's guest", async () => {
  const machine = machineWithGroups();
  const put = (path: string, label: string, bytes: Uint8Array): void => {
    machine.files
      .put(path, "file", { bytes })
      .xattrs.set("security.selinux", `system_u:object_r:${label}:s0`);
  };
  machine.files.putFolder("/srv/demo");
  put(
    "/srv/demo/alice.qcow2",
    "var_t",
    qcow2Bytes({ backingFile: "base.img", extensions: [[0xe2792aca, "raw"]] }),
  );
  put("/srv/demo/base.img", "var_t", new Uint8Array(4096));
  put("/srv/demo/alice.serial", "var_t", new Uint8Array());
  machine.files
    .put("/dev/vdd", "block", { node: "254:48" })
    .xattrs.set("security.selinux", "system_u:object_r:fixed_disk_device_t:s0");
  const bytes = new TextEncoder().encode(await fileOf("scripts/demo.d/alice.xml"));
  machine.files.put("/alice.xml", "file", { bytes });
  const { out } = await runOn(machine, "plan", "/alice.xml", "--stop");
  expect(withoutNumbers(out.trimEnd())).toBe(withoutNumbers(await shown("svirt plan alice --stop")));
});
