import { expect } from "bun:test";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";

const onTheNode = await onANode();

onTheNode(
  "snapshots of a guest that runs and that is off are listed, reverted to and forgotten, with each label back",
  async () => {
    const notes = await onNode(`
      clean
      copy halt a.img
      truncate -s 1M $here/a.img
      guest life-a "$(disk $here/a.img)"
      note before labels $here/a.img
      note off svirt snapshot-create-as life-a s1 --disk-only
      svirt start life-a >/dev/null
      note content label_of $here/a.img
      note own label_of $here/a.s1
      note running svirt snapshot-create-as life-a s2 --disk-only
      note list svirt snapshot-list life-a --tree
      note busy svirt snapshot-revert life-a s1
      svirt destroy life-a >/dev/null
      note revert svirt snapshot-revert life-a s1
      note again svirt start life-a
      note audit svirt audit
      svirt destroy life-a >/dev/null
      note after labels $here/a.img
      note kept svirt undefine life-a
      note needed svirt vol-delete $here/a.s1
      note forget svirt snapshot-delete life-a s1 --children --metadata
      note undefine svirt undefine life-a
    `);
    for (const name of ["off", "running", "revert", "again", "forget", "undefine"])
      expect([name, noteOf(notes, name).code]).toEqual([name, 0]);
    expect(outOf(notes, "content")).toBe("system_u:object_r:virt_content_t:s0");
    expect(outOf(notes, "own")).toContain(":svirt_image_t:");
    expect(outOf(notes, "list")).toContain("s1\n  |\n  +- s2");
    expect([noteOf(notes, "busy").code, noteOf(notes, "kept").code]).toEqual([4, 4]);
    expect(noteOf(notes, "needed").code).not.toBe(0);
    expect(noteOf(notes, "audit").out).not.toContain("life-a:");
    expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
  },
);
