import { expect } from "bun:test";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";

const onTheNode = await onANode();

/** Guest that counts on its serial port, and its count; `counts_on` waits until the count has grown. */
const COUNTING = `
  clean
  copy count a.img
  : >$here/serial.log
  guest life-a "$(disk $here/a.img)<serial type='file'><source path='$here/serial.log' append='on'/></serial><video><model type='vga'/></video>"
  counted() { wc -c <$here/serial.log; }
  is_beyond() { [ "$(counted)" -gt "$1" ]; }
  counts_on() { wait_for is_beyond $(($(counted) + 5)); }
  all="$here/a.img $here/serial.log"
`;

/** Two categories, those of one guest. */
const PRIVATE = /:c\d+,c\d+$/m;

/** Expects consecutive characters: the guest has neither restarted nor lost a tick. */
function expectCountedOn(serial: string): void {
  const numbers = Array.from(serial, (character) => character.charCodeAt(0) - 48);
  expect(numbers[0]).toBe(0);
  const gaps = numbers.flatMap((number, at) =>
    at === 0 || number === ((numbers[at - 1] ?? 0) + 1) % 64 ? [] : [at],
  );
  expect(gaps).toEqual([]);
}

for (const type of ["kvm", "qemu"]) {
  onTheNode(`a guest of type ${type} is saved and goes on where it was; the file is never its`, async () => {
    const notes = await onNode(`
      guest_type=${type}
      ${COUNTING}
      note before labels $all
      svirt start life-a >/dev/null
      counts_on
      note own label_of $here/a.img
      note user uid_of life-a
      note plan svirt plan save life-a $here/life-a.save
      note planned svirt domstate life-a
      { svirt save life-a $here/life-a.save; } >$here/out 2>&1 &
      saving=$!
      while kill -0 $saving 2>/dev/null; do
        for file in $here/.svirt-*.part $here/life-a.save; do [ ! -e "$file" ] || { label_of "$file"; echo; }; done
      done 2>/dev/null | sort -u >$here/seen
      wait $saving
      note save cat $here/out
      note seen cat $here/seen
      note reason svirt domstate life-a --reason
      note gone left life-a
      note after labels $all
      note file label_of $here/life-a.save
      note attributes labels $here/life-a.save
      note mode stat -c '%a %u' $here/life-a.save
      note magic head -c 16 $here/life-a.save
      note parts sh -c "ls -a $here | grep -c part || :"
      note xml svirt save-image-dumpxml $here/life-a.save
      saved=$(counted)
      note restore svirt restore $here/life-a.save
      note restored svirt domstate life-a --reason
      note label label_in_xml life-a
      note context context_of $(pid_of life-a)
      note again label_of $here/a.img
      note still label_of $here/life-a.save
      wait_for is_beyond $((saved + 5))
      note serial cat $here/serial.log
      note audit svirt audit
      note open sh -c "ls -l /proc/$(pid_of life-a)/fd | grep -c '/life-a.save' || :"
      svirt destroy life-a >/dev/null
      note end left life-a
      note last labels $all
    `);
    expect(outOf(notes, "plan")).toMatch(/ {2}rename \S+\.part to \S+: \(no label\) -> default label$/m);
    expect(outOf(notes, "plan")).toContain(`label /srv/lifecycle/a.img: ${outOf(notes, "own")} -> `);
    expect(outOf(notes, "planned")).toBe("running");
    expect(outOf(notes, "save")).toEndWith("\nDomain 'life-a' saved to /srv/lifecycle/life-a.save");
    expect(outOf(notes, "reason")).toBe("shut off (saved)");
    expect(noteOf(notes, "gone").out).toBe("");
    expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
    expect(outOf(notes, "own")).toMatch(PRIVATE);
    for (const what of ["file", "still", "attributes", "seen"])
      expect(noteOf(notes, what).out).not.toMatch(PRIVATE);
    expect(outOf(notes, "attributes")).not.toContain("trusted.");
    expect([outOf(notes, "mode"), outOf(notes, "magic")]).toEqual(["600 0", "LibvirtQemudSave"]);
    expect(outOf(notes, "parts")).toBe("0");
    expect(outOf(notes, "xml")).toContain("machine='pc-i440fx-");
    expect(outOf(notes, "restore")).toBe("Domain restored from /srv/lifecycle/life-a.save");
    expect(outOf(notes, "restored")).toBe("running (restored)");
    expect(outOf(notes, "context")).toBe(outOf(notes, "label"));
    expect(outOf(notes, "again")).toBe(outOf(notes, "own"));
    expectCountedOn(outOf(notes, "serial"));
    expect(outOf(notes, "audit")).toContain("No findings.");
    expect(outOf(notes, "open")).toBe("0");
    expect(noteOf(notes, "end").out).toBe("");
    expect(outOf(notes, "last")).toBe(outOf(notes, "before"));
  });
}

onTheNode("a managed save is what the next start goes on from, once, or forgets", async () => {
  const notes = await onNode(`
    ${COUNTING}
    svirt start life-a >/dev/null
    counts_on
    note none svirt dominfo life-a
    note save svirt managedsave life-a
    note some svirt dominfo life-a
    note label label_of /var/lib/svirt/save/life-a.save
    note plan svirt plan life-a
    note refused svirt undefine life-a
    note start svirt start life-a
    note reason svirt domstate life-a --reason
    note used sh -c 'ls /var/lib/svirt/save'
    counts_on
    note serial cat $here/serial.log
    svirt managedsave life-a --paused >/dev/null
    svirt start life-a >/dev/null
    note paused svirt domstate life-a
    svirt resume life-a >/dev/null
    counts_on
    svirt managedsave life-a >/dev/null
    note removal svirt plan managedsave-remove life-a
    note remove svirt managedsave-remove life-a
    note nothing svirt managedsave-remove life-a
    svirt start life-a >/dev/null
    svirt managedsave life-a >/dev/null
    note forced svirt start life-a --force-boot
    note booted svirt domstate life-a --reason
    svirt managedsave life-a >/dev/null
    note undefine svirt undefine life-a --managed-save
    note left sh -c 'ls -A /var/lib/svirt/save'
    note end left life-a
  `);
  expect(outOf(notes, "none")).toMatch(/^Managed save: {3}no$/m);
  expect(noteOf(notes, "save").out.trim()).toBe("Domain 'life-a' state saved by libvirt");
  expect(outOf(notes, "some")).toMatch(/^Managed save: {3}yes$/m);
  expect(outOf(notes, "label")).not.toMatch(PRIVATE);
  expect(outOf(notes, "plan")).toContain("load the state in /var/lib/svirt/save/life-a.save");
  expect(noteOf(notes, "refused").err).toContain(
    "Refusing to undefine while domain managed save image exists",
  );
  expect(outOf(notes, "start")).toBe("Domain 'life-a' started");
  expect([outOf(notes, "reason"), outOf(notes, "used")]).toEqual(["running (restored)", ""]);
  expectCountedOn(outOf(notes, "serial"));
  expect(outOf(notes, "paused")).toBe("paused");
  expect(outOf(notes, "removal")).toContain("remove /var/lib/svirt/save/life-a.save");
  expect(outOf(notes, "remove")).toBe("Removed managedsave image for domain 'life-a'");
  expect(outOf(notes, "nothing")).toBe("Domain 'life-a' has no manage save image; removal skipped");
  expect([outOf(notes, "forced"), outOf(notes, "booted")]).toEqual([
    "Domain 'life-a' started",
    "running (booted)",
  ]);
  expect(noteOf(notes, "undefine").code).toBe(0);
  expect(noteOf(notes, "left").out + noteOf(notes, "end").out).toBe("");
});

onTheNode("a dump and a screenshot leave the guest as it was and files that never were its", async () => {
  const notes = await onNode(`
    ${COUNTING}
    svirt start life-a >/dev/null
    counts_on
    note core svirt dump life-a $here/core --memory-only
    note core-head sh -c "head -c 4 $here/core | od -An -tx1"
    note zlib svirt dump life-a $here/core.zlib --memory-only --format kdump-zlib
    note raw svirt dump life-a $here/raw --memory-only --format kdump-raw-zlib
    note all svirt dump life-a $here/stream
    note all-head sh -c "head -c 4 $here/stream"
    note live svirt dump life-a $here/core --memory-only --live
    note running svirt domstate life-a
    note screenshot svirt screenshot life-a $here/screen.png
    note screen-head sh -c "head -c 8 $here/screen.png | od -An -tx1"
    note file-labels labels $here/core $here/core.zlib $here/stream $here/screen.png
    note none svirt screenshot life-a $here/screen.png --screen 1
    note own ls -a /run/svirt/$(uuid_of life-a)
    counts_on
    note serial cat $here/serial.log
    note audit svirt audit
    note crash svirt dump life-a $here/core --memory-only --crash
    note reason svirt domstate life-a --reason
    note gone left life-a
    note parts sh -c "ls -a $here | grep -c part || :"
  `);
  expect(noteOf(notes, "core").out.trim()).toBe("Domain 'life-a' dumped to /srv/lifecycle/core");
  expect(outOf(notes, "core-head").trim()).toBe("7f 45 4c 46");
  expect([noteOf(notes, "zlib").code, noteOf(notes, "raw").code]).toEqual([0, 2]);
  // QEMU_VM_FILE_MAGIC
  expect([noteOf(notes, "all").code, outOf(notes, "all-head")]).toEqual([0, "QEVM"]);
  expect([noteOf(notes, "live").code, outOf(notes, "running")]).toEqual([0, "running"]);
  expect(outOf(notes, "screenshot")).toBe(
    "Screenshot saved to /srv/lifecycle/screen.png, with type of image/png",
  );
  expect(outOf(notes, "screen-head").trim()).toBe("89 50 4e 47 0d 0a 1a 0a");
  expect(outOf(notes, "file-labels")).not.toMatch(/c\d+,c\d+/);
  expect(noteOf(notes, "none").err).toContain("no such screen ID");
  expect(outOf(notes, "own")).not.toContain("screenshot");
  expectCountedOn(outOf(notes, "serial"));
  expect(outOf(notes, "audit")).toContain("No findings.");
  expect([noteOf(notes, "crash").code, outOf(notes, "reason")]).toEqual([0, "shut off (crashed)"]);
  expect([noteOf(notes, "gone").out, outOf(notes, "parts")]).toEqual(["", "0"]);
});

onTheNode("svirt killed in a save: the guest goes on, or all of it is in the file", async () => {
  const drills = ["after:1", "after:2", "before:3", "after:3", "before:4", "after:4", "after:5", "after:7"];
  const notes = await onNode(`
    ${COUNTING}
    note before labels $all
    svirt start life-a >/dev/null
    counts_on
    for drill in ${drills.join(" ")}; do
      note $drill svirt save life-a $here/life-a.save --crash-drill $drill
      svirt list >/dev/null
      note $drill-state svirt domstate life-a
      note $drill-parts sh -c "ls -a $here | grep -c part || :"
      [ "$(svirt domstate life-a)" = running ] || note $drill-restore svirt restore $here/life-a.save
      rm -f $here/life-a.save
      counts_on
      note $drill-audit svirt audit
    done
    for ms in 20 60 120 200; do
      svirt save life-a $here/life-a.save >/dev/null 2>&1 &
      saving=$!
      sleep 0.$(printf %03d $ms)
      kill -9 $saving 2>/dev/null || :
      wait $saving || :
      svirt list >/dev/null
      note $ms-parts sh -c "ls -a $here | grep -c part || :"
      [ "$(svirt domstate life-a)" = running ] || svirt restore $here/life-a.save >/dev/null
      rm -f $here/life-a.save
      counts_on
    done
    note serial cat $here/serial.log
    svirt managedsave life-a >/dev/null
    load=$(svirt plan life-a | sed -n 's/^ *\\([0-9]*\\)  load the state.*/\\1/p')
    for drill in before:$load after:$load after:$((load + 1)) after:$((load + 2)); do
      note start-$drill svirt start life-a --crash-drill $drill
      svirt list >/dev/null
      note start-$drill-state svirt domstate life-a
      note start-$drill-file sh -c 'ls -A /var/lib/svirt/save'
      [ "$(svirt domstate life-a)" = running ] || svirt start life-a >/dev/null
      counts_on
      svirt managedsave life-a >/dev/null
    done
    note all-serial cat $here/serial.log
    svirt managedsave-remove life-a >/dev/null
    note end left life-a
    note after labels $all
  `);
  for (const drill of drills) {
    expect([drill, noteOf(notes, drill).code]).toEqual([drill, 137]);
    const isOn = notes.get(`${drill}-restore`) === undefined;
    expect([drill, isOn]).toEqual([drill, ["after:1", "after:2", "before:3", "after:3"].includes(drill)]);
    if (!isOn) expect([drill, noteOf(notes, `${drill}-restore`).code]).toEqual([drill, 0]);
    expect([drill, outOf(notes, `${drill}-parts`)]).toEqual([drill, "0"]);
    expect(outOf(notes, `${drill}-audit`)).toContain("No findings.");
  }
  for (const ms of [20, 60, 120, 200]) expect(outOf(notes, `${ms}-parts`)).toBe("0");
  expectCountedOn(outOf(notes, "serial"));
  const starts = [...notes.keys()].filter((name) => /^start-\w+:\d+$/.test(name));
  expect(starts).toHaveLength(4);
  for (const name of starts) {
    expect([name, noteOf(notes, name).code]).toEqual([name, 137]);
    // The state is either in the file or in the guest.
    const isOn = outOf(notes, `${name}-state`) === "running";
    expect([name, outOf(notes, `${name}-file`) === ""]).toEqual([name, isOn]);
  }
  expectCountedOn(outOf(notes, "all-serial"));
  expect(noteOf(notes, "end").out).toBe("");
  expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
});

onTheNode(
  "a guest that has got a virtual CPU since its start goes on with it, and with its disks",
  async () => {
    const notes = await onNode(`
    ${COUNTING}
    guest life-a "$(disk $here/a.img)<serial type='file'><source path='$here/serial.log' append='on'/></serial>" "<vcpu current='1'>2</vcpu>"
    svirt start life-a >/dev/null
    counts_on
    note more svirt setvcpus life-a 2 --live
    note two svirt dominfo life-a
    note save svirt managedsave life-a
    saved=$(counted)
    note start svirt start life-a
    note again svirt dominfo life-a
    wait_for is_beyond $((saved + 5))
    note serial cat $here/serial.log
    svirt destroy life-a >/dev/null
  `);
    for (const info of ["two", "again"]) expect(outOf(notes, info)).toMatch(/^CPU\(s\): +2$/m);
    expect(outOf(notes, "start")).toBe("Domain 'life-a' started");
    expectCountedOn(outOf(notes, "serial"));
  },
);
