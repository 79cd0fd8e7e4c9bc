import { expect, test } from "bun:test";
import { makeMachine, ORIGINAL } from "../../../scenes/scene.ts";
import { runOn } from "../../in-memory.ts";

const TOP = "/var/lib/images/top.qcow2";

test("svirt vol-info is laid out as virsh does", async () => {
  const { out } = await runOn(makeMachine(), "vol-info", "/var/lib/images/base.raw");
  expect(out).toBe(
    "Name:           base.raw\nType:           file\nCapacity:       4.00 KiB\nAllocation:     4.00 KiB\n\n",
  );
  const { out: exact } = await runOn(makeMachine(), "vol-info", "--bytes", "/var/lib/images/base.raw");
  expect(exact).toContain("\nCapacity:       4096 bytes\n");
});

test("svirt vol-dumpxml tells an image's label, and only the name of what it stands on", async () => {
  const { out } = await runOn(makeMachine(), "vol-dumpxml", TOP);
  const [target = "", below = ""] = out.split("<backingStore>");
  expect(target).toContain(`<path>${TOP}</path>\n    <format type='qcow2'/>`);
  expect(target).toContain(`<label>${ORIGINAL}</label>`);
  // A guest may have written the name: what the file of that name is, the image's owner learns otherwise.
  expect(below).toStartWith(
    "\n    <path>/var/lib/images/base.raw</path>\n    <format type='raw'/>\n  </backing",
  );
});

test("svirt vol-dumpxml refuses what is no volume, and what is not there", async () => {
  expect(await runOn(makeMachine(), "vol-dumpxml", "/var/lib/images")).toMatchObject({ code: 2, out: "" });
  expect(await runOn(makeMachine(), "vol-dumpxml", "/nowhere")).toMatchObject({ code: 3, out: "" });
});
