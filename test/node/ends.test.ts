import { expect } from "bun:test";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";

const onTheNode = await onANode();

/** Way for a guest to end, with the reason that `domstate --reason` prints. */
interface End {
  readonly way: string;
  readonly boot: "halt" | "off-later";
  /** Shell script; the guest is life-a, its process $pid. */
  readonly act: string;
  readonly reason: string;
}

const ENDS: readonly End[] = [
  { way: "destroy", boot: "halt", act: "svirt destroy life-a >/dev/null", reason: "destroyed" },
  { way: "its own power-off", boot: "off-later", act: ":", reason: "shutdown" },
  { way: "QEMU killed", boot: "halt", act: "kill -9 $pid", reason: "crashed" },
  {
    way: "QEMU and its reaper killed, then any call",
    boot: "halt",
    act: "kill -9 $(field $pid PPid) $pid; wait_for is_dead $pid; note call svirt list",
    reason: "crashed",
  },
  {
    way: "its reaper killed, the guest goes on, then destroy",
    boot: "halt",
    act: "kill -9 $(field $pid PPid); sleep 1; note on svirt domstate life-a; svirt destroy life-a >/dev/null",
    reason: "destroyed",
  },
  {
    way: "its reaper killed, later its own power-off, then any call",
    boot: "off-later",
    act: "kill -9 $(field $pid PPid); note on svirt domstate life-a; wait_for is_dead $pid; note call svirt domid life-a",
    reason: "crashed",
  },
  {
    way: "QEMU stopped, so that it does not hear SIGTERM, then destroy",
    boot: "halt",
    act: "kill -STOP $pid; svirt destroy life-a >/dev/null",
    reason: "destroyed",
  },
];

for (const { act, boot, reason, way } of ENDS) {
  onTheNode(`nothing is left of a guest after: ${way}`, async () => {
    const notes = await onNode(`
      copy ${boot} a.img
      guest life-a "$(disk $here/a.img)<serial type='file'><source path='$here/serial.log'/></serial>"
      : >$here/serial.log
      all="$here/a.img $here/serial.log"
      note before labels $all
      svirt start life-a >/dev/null
      note during left life-a
      note labelled labels $all
      pid=$(pid_of life-a)
      ${act}
      note gone wait_gone life-a
      note left left life-a
      note after labels $all
      note reason svirt domstate life-a --reason
      note again svirt start life-a
      svirt destroy life-a >/dev/null
    `);
    // While the guest runs, it has each kind of trace that must be gone later.
    for (const what of ["path /var/lib/svirt/records", "path /run/svirt", "claim ", "words ", "user "])
      expect(noteOf(notes, "during").out).toContain(what);
    expect(outOf(notes, "labelled").split(":svirt_image_t:s0:c")).toHaveLength(3);
    if (notes.has("on")) expect(outOf(notes, "on")).toBe("running");
    expect(noteOf(notes, "gone").code).toBe(0);
    expect(noteOf(notes, "left").out).toBe("");
    expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
    expect(outOf(notes, "reason")).toBe(`shut off (${reason})`);
    expect(noteOf(notes, "again").code).toBe(0);
  });
}

onTheNode("a start that fails takes back what it did: a missing file, a QEMU that refuses", async () => {
  const notes = await onNode(`
    copy halt a.img b.img
    echo 'this is no kernel' >$here/kernel
    echo 'and this no initrd' >$here/initrd
    guest life-a "$(disk $here/a.img)$(disk $here/missing.img vdb)"
    os="<kernel>$here/kernel</kernel><initrd>$here/initrd</initrd>"
    guest life-b "$(disk $here/b.img)"
    os=
    all="$here/a.img $here/b.img $here/kernel $here/initrd"
    note before labels $all
    note missing svirt start life-a
    note missing-left left life-a
    note refused svirt start life-b
    note refused-left left life-b
    note after labels $all
    note reason svirt domstate life-b --reason
  `);
  expect(noteOf(notes, "missing").code).toBe(3);
  expect(noteOf(notes, "refused").code).toBe(1);
  // The message of QEMU.
  expect(noteOf(notes, "refused").err).toContain("kernel");
  expect(noteOf(notes, "missing-left").out).toBe("");
  expect(noteOf(notes, "refused-left").out).toBe("");
  expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
  expect(outOf(notes, "reason")).toBe("shut off (failed)");
});

onTheNode("a guest outlives the session that started it", async () => {
  const first = await onNode(`
    guest life-a
    svirt start life-a >/dev/null
    note pid pid_of life-a
    pid=$(pid_of life-a)
    # The sixth field is the session, the seventh the terminal.
    note session sed 's/.*) //' /proc/$pid/stat
    note reaper sed 's/.*) //' /proc/$(field $pid PPid)/stat
    note own sed 's/.*) //' /proc/$$/stat
    kill -HUP -$(sed 's/.*) //' /proc/$$/stat | cut -d' ' -f3) 2>/dev/null || :
  `).catch((error: unknown) => String(error));
  const second = await onNode(`
    note pid pid_of life-a
    note state svirt domstate life-a
    pid=$(pid_of life-a)
    note session sed 's/.*) //' /proc/$pid/stat
    note reaper sed 's/.*) //' /proc/$(field $pid PPid)/stat
    note own sed 's/.*) //' /proc/$$/stat
    svirt destroy life-a >/dev/null
  `);
  // The end of the first session ended the script too.
  expect(String(first)).toContain("Cannot run scripts/node ssh");
  expect(outOf(second, "state")).toBe("running");
  const sessionOf = (name: string) => outOf(second, name).split(" ")[3];
  const terminalOf = (name: string) => outOf(second, name).split(" ")[4];
  expect(sessionOf("session")).toBe(sessionOf("reaper"));
  expect(sessionOf("session")).not.toBe(sessionOf("own"));
  expect(terminalOf("session")).toBe("0");
});

onTheNode(
  "on_poweroff and on_crash restart start the guest again, whoever else is there to do it",
  async () => {
    const notes = await onNode(`
    copy off-later a.img
    copy halt b.img c.img
    guest life-a "$(disk $here/a.img)" '<on_poweroff>restart</on_poweroff>'
    guest life-b "$(disk $here/b.img)" '<on_crash>restart</on_crash>'
    guest life-c "$(disk $here/c.img)" '<on_poweroff>restart</on_poweroff><on_crash>destroy</on_crash>'
    note before labels $here/a.img $here/b.img
    # The last one powers itself off soon.
    for name in life-b life-c life-a; do svirt start $name >/dev/null; done
    a=$(pid_of life-a) b=$(pid_of life-b) c=$(pid_of life-c)
    note label-b context_of $b
    kill -9 $b $c
    note crashed wait_other life-b $b
    note label-again context_of $(pid_of life-b)
    note not-crashed wait_gone life-c
    note powered-off wait_other life-a $a
    svirt destroy life-a >/dev/null
    svirt destroy life-b >/dev/null
    note left-a left life-a
    note left-b left life-b
    note after labels $here/a.img $here/b.img
  `);
    expect(noteOf(notes, "crashed").code).toBe(0);
    expect(outOf(notes, "label-again")).toBe(outOf(notes, "label-b"));
    expect(noteOf(notes, "powered-off").code).toBe(0);
    expect(noteOf(notes, "not-crashed").code).toBe(0);
    // A destroyed guest stays off despite its on_poweroff.
    expect(noteOf(notes, "left-a").out).toBe("");
    expect(noteOf(notes, "left-b").out).toBe("");
    expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
  },
);

onTheNode(
  "reboot: the guest powers itself off at its button and is started again, as it is defined now",
  async () => {
    const notes = await onNode(`
    copy button a.img
    guest life-a "$(disk $here/a.img)"
    svirt start life-a >/dev/null
    sleep 2
    pid=$(pid_of life-a)
    xml life-a "$(disk $here/a.img)" | sed 's/<memory.*/<memory unit="MiB">24<\\/memory>/' >$work/more.xml
    note define svirt define $work/more.xml
    note reboot svirt reboot life-a
    wait_pressed $pid svirt reboot life-a
    note other wait_other life-a $pid
    note info svirt dominfo life-a
    sleep 2
    pid=$(pid_of life-a)
    note shutdown svirt shutdown life-a
    wait_pressed $pid svirt shutdown life-a
    note gone wait_gone life-a
    note reason svirt domstate life-a --reason
  `);
    expect(outOf(notes, "reboot")).toBe("Domain 'life-a' is being rebooted");
    expect(noteOf(notes, "other").code).toBe(0);
    expect(outOf(notes, "info")).toMatch(/^Max memory: +24576 KiB$/m);
    expect(noteOf(notes, "gone").code).toBe(0);
    expect(outOf(notes, "reason")).toBe("shut off (shutdown)");
  },
);
