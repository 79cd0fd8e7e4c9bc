import { expect } from "bun:test";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";
import { bringLinux, LINUX } from "./linux-guest/on-the-node.ts";

const onTheNode = await onANode();
bringLinux();

onTheNode("dumpxml says whether the guest has a channel open, as long as its QEMU answers", async () => {
  const notes = await onNode(`${LINUX}
    guest_type=kvm xml life-a "<channel type='unix'><target type='virtio' name='org.example.0'/></channel>
      <serial type='file'><source path='$here/life-a.serial'/></serial>" | as_linux channel >$work/linux.xml
    svirt define $work/linux.xml >/dev/null
    svirt start life-a >/dev/null
    state() { svirt dumpxml life-a | sed -n "s/.*name='org.example.0' state='\\(.*\\)'.*/\\1/p"; }
    is() { [ "$(state)" = "$1" ]; }
    note first state
    note opened wait_for is connected
    { echo over; sleep 1; } | svirt console life-a --devname channel0 >/dev/null 2>&1
    note closed wait_for is disconnected
    # The guest prints it after it has closed the port.
    wait_for grep -q channel=closed $here/life-a.serial
    note said grep -c channel=closed $here/life-a.serial
    kill -STOP $(pid_of life-a)
    note stopped svirt dumpxml life-a
    kill -CONT $(pid_of life-a)
    svirt destroy life-a >/dev/null
    svirt undefine life-a >/dev/null
  `);
  expect(outOf(notes, "first")).toMatch(/^(?:dis)?connected$/);
  expect([noteOf(notes, "opened").code, noteOf(notes, "closed").code]).toEqual([0, 0]);
  expect(outOf(notes, "said")).toBe("1");
  expect(noteOf(notes, "stopped").out).toContain("name='org.example.0'/>");
  expect(noteOf(notes, "stopped").err).toContain("which channels are connected is not shown");
});
