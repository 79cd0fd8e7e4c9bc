import { expect } from "bun:test";
import { noteOf, outOf, parseLabels } from "../harness/notes.ts";
import { onANode } from "../harness/on-a-node.ts";
import { node, onNode } from "../harness/on-the-node.ts";

// Reboots the node that it shares with other test files, which run before or after it.
const onTheNode = await onANode();

/** Ways in which the node goes down with running guests. */
const FALLS: readonly (readonly [how: string, word: "reboot" | "reset", last: string])[] = [
  ["a clean reboot", "reboot", ":"],
  ["a power failure", "reset", "sync"],
  // At that moment the records are on the disk; whether the labels are depends on the journal.
  ["a power failure right after the start", "reset", ":"],
];

for (const [how, word, last] of FALLS) {
  onTheNode(`${how}: at boot svirt puts every label back, and starts what is to be started`, async () => {
    const before = await onNode(`
      copy halt base.img auto.img
      qemu-img create -q -f qcow2 -b base.img -F raw $here/a.qcow2
      : >$here/serial.log
      guest life-a "$(disk $here/a.qcow2)<serial type='file'><source path='$here/serial.log'/></serial>"
      mkdir -p $here/pool
      mv $here/auto.img $here/pool
      svirt pool-define-as life-pool dir --target $here/pool >/dev/null
      svirt pool-autostart life-pool >/dev/null
      svirt pool-start life-pool >/dev/null
      guest life-auto "<disk type='volume' device='disk'><driver name='qemu' type='raw'/><source pool='life-pool' volume='auto.img'/><target dev='vda' bus='virtio'/></disk>"
      svirt autostart life-auto >/dev/null
      note labels labels $here/a.qcow2 $here/base.img $here/serial.log
      note boot cat /proc/sys/kernel/random/boot_id
      sync
      svirt start life-auto >/dev/null
      svirt start life-a >/dev/null
      ${last}
      note during labels $here/a.qcow2 $here/base.img $here/serial.log
      note auto label_of $here/pool/auto.img
    `);
    await node([word]);
    const after = await onNode(`
      note boot cat /proc/sys/kernel/random/boot_id
      note gone wait_gone life-a
      note left left life-a
      note labels labels $here/a.qcow2 $here/base.img $here/serial.log
      note auto label_of $here/pool/auto.img
      note pools svirt pool-list --name
      note auto-state svirt domstate life-auto
      note reason svirt domstate life-a --reason
      note start svirt start life-a
      note again labels $here/a.qcow2 $here/base.img $here/serial.log
      svirt destroy life-a >/dev/null
      svirt destroy life-auto >/dev/null
      note end labels $here/a.qcow2 $here/base.img $here/serial.log
      note end-auto labels $here/pool/auto.img
      svirt pool-destroy life-pool >/dev/null
      svirt pool-undefine life-pool >/dev/null
    `);
    expect(outOf(after, "boot")).not.toBe(outOf(before, "boot"));
    expect(noteOf(after, "gone").code).toBe(0);
    expect(noteOf(after, "left").out).toBe("");
    expect(outOf(after, "labels")).toBe(outOf(before, "labels"));
    expect(outOf(after, "pools")).toBe("life-pool");
    expect(outOf(after, "auto-state")).toBe("running");
    expect(outOf(after, "auto")).toBe(outOf(before, "auto"));
    // No process observed its end.
    expect(outOf(after, "reason")).toBe("shut off (unknown)");
    expect(noteOf(after, "start").code).toBe(0);
    const labelsOnly = (text: string) =>
      [...parseLabels(text)].map(([path, file]) => [path, file.get("security.selinux")]);
    expect(labelsOnly(outOf(after, "again"))).toEqual(labelsOnly(outOf(before, "during")));
    expect(outOf(after, "end")).toBe(outOf(before, "labels"));
    expect(outOf(after, "end-auto")).not.toContain("trusted.");
  });
}
