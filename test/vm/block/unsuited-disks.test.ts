import { describe, test } from "bun:test";
import { copyOn, IMAGES, machineWithChain } from "../../scenes/block.ts";
import { expectRefused } from "../../scenes/block-checks.ts";
import { diskXml, nodeOn } from "../../scenes/scene.ts";

describe("the images of a disk are not changed", () => {
  const raw = `${IMAGES}/private1.raw`;
  const plain = diskXml(raw, "vdb");
  test.each([
    ["it is read-only", diskXml(raw, "vdb", "<readonly/>")],
    ["it is read-only", plain.replace("device='disk'", "device='cdrom'").replace("'virtio'", "'sata'")],
    ["it is shareable", diskXml(`${IMAGES}/shared.raw`, "vdb", "<shareable/>")],
    ["it is transient", diskXml(raw, "vdb", "<transient/>")],
    ["it has throttle filters or copy-on-read", plain.replace("type='raw'", "type='raw' copy_on_read='on'")],
    [
      "a <source> of it has its own <seclabel>",
      plain.replace(
        `<source file='${raw}'/>`,
        `<source file='${raw}'><seclabel model='selinux' relabel='no'/></source>`,
      ),
    ],
    [
      "it is empty",
      "<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><target dev='vdb' bus='sata'/></disk>",
    ],
  ])("when %s", async (why, disk) => {
    const machine = await machineWithChain(disk);
    const refused = `the images of disk 'vdb' are not changed: ${why}`;
    await expectRefused(machine, copyOn(nodeOn(machine), { path: "vdb" }), refused);
  });
});
