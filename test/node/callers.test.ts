import { expect } from "bun:test";
import { uuidOf } from "./harness/names.ts";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { node, onNode } from "./harness/on-the-node.ts";
import { bringPeer } from "./peers/on-the-node.ts";

// At exec the kernel silently replaces a terminal or pipe that the domain may not use by /dev/null.
const onTheNode = await onANode();
bringPeer();

onTheNode("svirt prints at a terminal of the console, and to the console itself", async () => {
  const notes = await onNode(`
    word=$(cut -c 1-8 /proc/sys/kernel/random/uuid)
    note word echo "$word"
    before=$(label_of /dev/tty9)
    setfattr -n security.selinux -v system_u:object_r:user_tty_device_t:s0 /dev/tty9
    note terminal sh -c "svirt domid at-tty-$word </dev/tty9 >/dev/tty9 2>&1"
    note screen cat /dev/vcs9
    setfattr -n security.selinux -v "$before" /dev/tty9
    note console sh -c "svirt domid at-console-$word </dev/console >/dev/console 2>&1"
  `);
  expect([noteOf(notes, "terminal").code, noteOf(notes, "console").code]).toEqual([3, 3]);
  // The word of this run: the screen keeps earlier output.
  expect(outOf(notes, "screen")).toContain(`at-tty-${outOf(notes, "word")}`);
  expect(await node(["log"])).toContain(`at-console-${outOf(notes, "word")}`);
});

onTheNode("XML comes through a pipe that has a name, the shell's or the SSH server's", async () => {
  const notes = await onNode(`
    xml life-a >$work/a.xml
    note shell sh -c "cat $work/a.xml | svirt define /dev/fd/0"
    note defined svirt domuuid life-a
    cp $work/a.xml $here/a.xml
    svirt undefine life-a >/dev/null
  `);
  expect(noteOf(notes, "shell")).toMatchObject({ code: 0, err: "" });
  expect(outOf(notes, "defined")).toBe(uuidOf("life-a"));
  const text = await node(["ssh", "cat /srv/lifecycle/a.xml"]);
  expect(await node(["ssh", "svirt define /dev/fd/0"], text)).toContain("life-a");
});

onTheNode("a caller that hands over sockets, as Node.js and bun do", async () => {
  const notes = await onNode(`
    xml life-a >$work/a.xml
    note define sh -c "$here/peer pair svirt define - <$work/a.xml"
    note list $here/peer pair svirt list --all --name
    svirt undefine life-a >/dev/null
  `);
  expect(noteOf(notes, "define")).toMatchObject({ code: 0, err: "", out: expect.stringContaining("life-a") });
  expect(outOf(notes, "list").split("\n")).toContain("life-a");
});
