import { expect } from "bun:test";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";

const onTheNode = await onANode();

// The helpers know the UUID by the first name, which stays.
onTheNode("a domain gets another name and metadata, starts with them, and is reset", async () => {
  const notes = await onNode(`
    copy halt a.img
    xml life-a "$(disk $here/a.img)" >$here/a.xml
    note define svirt define $here/a.xml
    note mark svirt autostart life-a
    note rename svirt domrename life-a life-b
    note names svirt list --all --name
    note auto ls /etc/svirt/autostart
    note journal ls /etc/svirt/changes
    note label label_of /etc/svirt/domains/life-b.xml
    note set svirt metadata life-b http://app/ --key app --set '<a/>'
    note get svirt metadata life-b http://app/
    note start svirt start life-b
    note context cat /proc/$(pid_of life-a)/attr/current
    note live svirt metadata life-b http://app/ --key app --set '<b/>' --live
    note shown svirt metadata life-b http://app/
    note running svirt domrename life-b life-a
    note reset svirt reset life-b
    note control svirt domcontrol life-b
    note errors svirt domblkerror life-b
    note destroy svirt destroy life-b
    note undefine svirt undefine life-b
    note left left life-a
  `);
  for (const name of ["define", "mark", "rename", "set", "start", "live", "reset", "destroy", "undefine"])
    expect([name, noteOf(notes, name).code]).toEqual([name, 0]);
  expect(outOf(notes, "names").split("\n")).toContain("life-b");
  expect(outOf(notes, "names")).not.toContain("life-a");
  expect(outOf(notes, "auto")).toBe("life-b.xml");
  expect(outOf(notes, "journal")).toBe("");
  expect(outOf(notes, "label")).toContain(":svirt_etc_t:");
  expect(outOf(notes, "get")).toStartWith("<a/>");
  expect(outOf(notes, "context")).toContain(":svirt_");
  expect(outOf(notes, "shown")).toStartWith("<b/>");
  expect(noteOf(notes, "running").code).toBe(4);
  expect(outOf(notes, "control")).toStartWith("ok");
  expect(outOf(notes, "errors")).toStartWith("No errors found");
  expect(noteOf(notes, "left").out).toBe("");
});
