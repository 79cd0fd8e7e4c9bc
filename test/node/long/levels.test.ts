import { expect } from "bun:test";
import { noteOf, outOf } from "../harness/notes.ts";
import { onANode } from "../harness/on-a-node.ts";
import { onNode } from "../harness/on-the-node.ts";

const onTheNode = await onANode();

onTheNode(
  "eight starters at once: each guest has a level and a user of its own, and a shared disk is shared",
  async () => {
    const notes = await onNode(`
    copy halt base.img
    names="life-1 life-2 life-3 life-4 life-5 life-6 life-7 life-8"
    for name in $names; do guest $name "$(disk $here/base.img vda '<readonly/>')"; done
    note before labels $here/base.img
    for name in $names; do { svirt start $name; echo $name $? >>$work/codes; } >>$work/said 2>&1 & done
    wait
    note codes cat $work/codes
    note said cat $work/said
    for name in $names; do context_of $(pid_of $name); echo; done >$work/contexts
    for name in $names; do field $(pid_of $name) Uid; done >$work/users
    note contexts cat $work/contexts
    note users cat $work/users
    note levels ls /var/lib/svirt/claims/level
    for name in $names; do svirt destroy $name & done >/dev/null 2>&1
    wait
    note after labels $here/base.img
    for name in $names; do left $name; done >$work/left
    note left cat $work/left
  `);
    const lines = (name: string) => outOf(notes, name).split("\n");
    expect({
      codes: lines("codes").filter((line) => !line.endsWith(" 0")),
      said: outOf(notes, "said"),
    }).toMatchObject({
      codes: [],
    });
    const ranges = lines("contexts").map((context) => context.split(":").slice(3).join(":"));
    expect(new Set(ranges).size).toBe(8);
    for (const range of ranges) expect(lines("levels")).toContain(range);
    expect(new Set(lines("users")).size).toBe(8);
    expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
    expect(noteOf(notes, "left").out).toBe("");
  },
);

onTheNode("one guest started eight times at once is started once", async () => {
  const notes = await onNode(`
    copy halt a.img
    guest life-a "$(disk $here/a.img)"
    for turn in 1 2 3 4 5 6 7 8; do svirt start life-a >>$work/said 2>&1 & done
    wait
    note said sort $work/said
    note qemus sh -c 'grep -l "^Uid:.*[[:space:]]'$(uid_of life-a)'[[:space:]]" /proc/[0-9]*/status'
    svirt destroy life-a >/dev/null
    note left left life-a
  `);
  const said = outOf(notes, "said")
    .split("\n")
    .filter((line) => line !== "");
  expect(said).toEqual([...Array(7).fill("Domain 'life-a' is already active"), "Domain 'life-a' started"]);
  expect(outOf(notes, "qemus").split("\n")).toHaveLength(1);
  expect(noteOf(notes, "left").out).toBe("");
});
