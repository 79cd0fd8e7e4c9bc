import { expect } from "bun:test";
import { type Notes, noteOf, outOf } from "../harness/notes.ts";
import { onANode } from "../harness/on-a-node.ts";
import { onNode } from "../harness/on-the-node.ts";

const onTheNode = await onANode();

/** Commands that must finish interrupted work, each in its turn. */
const OTHERS: readonly string[] = [
  "list",
  "dominfo life-a",
  "recover --json",
  "domstate life-a --reason",
  "define /srv/lifecycle/other.xml",
  "list --all",
  "dumpxml life-a",
  "plan life-a",
  "domblklist life-a",
  "destroy life-a",
  "autostart life-a --disable",
  "domid life-a",
  "domuuid life-a",
];

/** Defines a guest with a disk, a backing image and a file of its own. */
const SET_UP = `
  copy halt base.img other.img
  qemu-img create -q -f qcow2 -b base.img -F raw $here/a.qcow2
  : >$here/serial.log
  all="$here/a.qcow2 $here/base.img $here/serial.log"
  guest life-a "$(disk $here/a.qcow2)<serial type='file'><source path='$here/serial.log'/></serial>"
  xml life-other "$(disk $here/other.img)" >$here/other.xml
  labels $all >$here/before`;

/** Returns the moments of each step: `before:1 after:1 before:2 ...` */
function momentsOf(steps: readonly unknown[]): string[] {
  return steps.flatMap((_step, at) => [`before:${at + 1}`, `after:${at + 1}`]);
}

/**
 * Expects that the drill killed svirt, that the next command left no trace, and that all labels are restored.
 */
function expectNothingLeft(notes: Notes, moment: string): void {
  const note = (name: string) => ({ moment, ...noteOf(notes, `${name}-${moment}`) });
  // 137: 128 and SIGKILL.
  expect(note("drill")).toMatchObject({ moment, code: 137, out: "" });
  expect(note("other")).toMatchObject({ moment, code: 0, err: "", out: expect.stringMatching(/./) });
  const debug = notes.get(`debug-${moment}`)?.out;
  expect({ ...note("left"), debug }).toMatchObject({ moment, out: "", debug: undefined });
  expect(note("labels")).toEqual({ moment, code: 0, out: "", err: "" });
}

/** After a drill, runs the next command; no other svirt runs that could finish the work. */
const CHECK = `
  check() {
    note other-$1 svirt $2
    note left-$1 left life-a
    # Lists the processes at work, to find out why something was left.
    [ ! -s "$work/out" ] || note debug-$1 sh -c 'ps; cat /proc/locks; ls -i /run/svirt/locks; cat /var/lib/svirt/records/*'
    labels $all >$work/labels
    note labels-$1 diff $here/before $work/labels
  }`;

onTheNode(
  "svirt killed before and after each step of a start and of a stop leaves nothing",
  async () => {
    const planned = await onNode(`
    ${SET_UP}
    note start svirt plan life-a --json
    note stop svirt plan life-a --stop --json
    note before cat $here/before
    svirt start life-a >/dev/null
    note record cat /var/lib/svirt/records/$(uuid_of life-a).json
    svirt destroy life-a >/dev/null`);
    const kinds = (steps: readonly { readonly do: string }[]) => steps.map((step) => step.do);
    const kindsOf = (name: string): string[] => kinds(JSON.parse(outOf(planned, name)));
    // An unplanned step would never be killed.
    expect(kinds(JSON.parse(outOf(planned, "record")).steps)).toEqual(kindsOf("start"));
    expect(kindsOf("start")).toEqual(expect.arrayContaining(["reserve", "set-label", "spawn", "resume"]));
    expect(kindsOf("stop")).toEqual(
      expect.arrayContaining(["kill", "restore-label", "remove-folder", "release"]),
    );
    const starts = momentsOf(kindsOf("start"));
    const stops = momentsOf(kindsOf("stop"));
    // A start has more moments than a stop: in the remaining turns only the start is killed.
    const turns = starts.map((start, at) => {
      const stop = stops[at] ?? "none";
      const others = [OTHERS[at % OTHERS.length], OTHERS[(at + 5) % OTHERS.length]];
      return `turn ${start} '${others[0]}' ${stop} '${others[1]}'`;
    });
    expect(stops.length).toBeLessThanOrEqual(starts.length);
    const notes = await onNode(`
    all="$here/a.qcow2 $here/base.img $here/serial.log"
    ${CHECK}
    turn() {
      # A file that a guest has had keeps the mark of its format: with it, a start has fewer steps.
      rm $here/a.qcow2 $here/serial.log
      qemu-img create -q -f qcow2 -b base.img -F raw $here/a.qcow2
      : >$here/serial.log
      note drill-start-$1 svirt start life-a --crash-drill $1
      check start-$1 "$2"
      note again-$1 svirt start life-a
      [ $3 != none ] || { svirt destroy life-a >/dev/null; return; }
      # Without its reaper, which would do the rest at once.
      kill -9 $(reaper_of life-a)
      note drill-stop-$3 svirt destroy life-a --crash-drill $3
      check stop-$3 "$4"
      note reason-$3 svirt domstate life-a --reason
    }
    ${turns.join("\n")}
    note end labels $all
  `);
    for (const moment of starts) {
      expectNothingLeft(notes, `start-${moment}`);
      expect({ moment, ...noteOf(notes, `again-${moment}`) }).toMatchObject({ moment, code: 0, err: "" });
    }
    for (const moment of stops) {
      expectNothingLeft(notes, `stop-${moment}`);
      // The reason survives the kill.
      expect({ moment, is: outOf(notes, `reason-${moment}`) }).toEqual({
        moment,
        is: "shut off (destroyed)",
      });
    }
    expect(outOf(notes, "end")).toBe(outOf(planned, "before"));
  },
  { timeoutMs: 900_000 },
);

onTheNode("what a killed destroy has left the guest's reaper finishes, when nobody calls svirt", async () => {
  const notes = await onNode(`
    ${SET_UP}
    ${CHECK}
    svirt start life-a >/dev/null
    note drill-x svirt destroy life-a --crash-drill after:1
    note gone wait_gone life-a
    check x list
  `);
  expect(noteOf(notes, "gone").code).toBe(0);
  expectNothingLeft(notes, "x");
});
