import { expect } from "bun:test";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";

const onTheNode = await onANode();

onTheNode("what a guest writes to a transient disk goes with it, however it ends", async () => {
  const notes = await onNode(`
    copy halt a.img
    overlay=/var/lib/svirt/transient/$(uuid_of life-a)/vda.qcow2
    # A cluster more in the overlay. What qemu-io says goes to QEMU's own output.
    write() { svirt qemu-monitor-command life-a --hmp "qemu-io -d /machine/peripheral/virtio-disk0/virtio-backend \\"write -P 7 0 512\\""; }
    # The reaper cleans up after a guest that ends by itself, and removes the record last.
    record=/var/lib/svirt/records/$(uuid_of life-a).json
    is_away() { [ ! -e "$record" ]; }
    guest life-a "$(disk $here/a.img vda '<transient/>')"
    guest life-b "$(disk $here/a.img vda '<transient/>')"
    labels $here/a.img >$work/before; sha256sum $here/a.img >>$work/before
    note plan svirt plan life-a
    note planned ls $overlay
    note start svirt start life-a
    note second svirt start life-b
    note image label_in_xml life-a imagelabel
    note label label_of $overlay
    note content label_of $here/a.img
    note empty stat -c %s $overlay
    note write write
    note written stat -c %s $overlay
    note audit svirt audit
    svirt destroy life-b >/dev/null
    note still label_of $here/a.img
    svirt destroy life-a >/dev/null
    labels $here/a.img >$work/after; sha256sum $here/a.img >>$work/after
    note same diff $work/before $work/after
    note gone ls $overlay
    note left left life-a
    note again svirt start life-a
    note forgotten stat -c %s $overlay
    write
    kill -9 $(pid_of life-a)
    wait_for is_away
    labels $here/a.img >$work/after; sha256sum $here/a.img >>$work/after
    note killed diff $work/before $work/after
  `);
  expect(outOf(notes, "plan")).toContain("/vda.qcow2: ");
  expect(noteOf(notes, "planned").code).not.toBe(0);
  for (const name of ["start", "second", "again"])
    expect(noteOf(notes, name)).toMatchObject({ code: 0, err: "" });
  expect(outOf(notes, "label")).toBe(outOf(notes, "image"));
  for (const name of ["content", "still"])
    expect(outOf(notes, name)).toBe("system_u:object_r:virt_content_t:s0");
  expect(noteOf(notes, "write")).toMatchObject({ code: 0, err: "" });
  expect(Number(outOf(notes, "written"))).toBeGreaterThan(Number(outOf(notes, "empty")));
  expect(outOf(notes, "forgotten")).toBe(outOf(notes, "empty"));
  expect(noteOf(notes, "audit").code).toBe(0);
  for (const name of ["same", "killed"]) expect(noteOf(notes, name)).toMatchObject({ code: 0, out: "" });
  expect(noteOf(notes, "gone").code).not.toBe(0);
  expect(noteOf(notes, "left").out).toBe("");
});
