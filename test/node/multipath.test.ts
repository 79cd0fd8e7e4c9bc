import { expect } from "bun:test";
import { uuidOf } from "./harness/names.ts";
import { type Notes, noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";
import { MULTIPATH } from "./programs/multipath.ts";
import { bringPrograms } from "./programs/on-the-node.ts";

// One LUN by two paths, of which Debian's multipathd makes one disk.

const onTheNode = await onANode();
const DEFAULT = "system_u:object_r:fixed_disk_device_t:s0";
const PRIVATE = /^system_u:object_r:svirt_image_t:s0:c\d+,c\d+ /;

bringPrograms();

function expectDone(notes: Notes, ...names: readonly string[]): void {
  for (const name of names)
    expect([name, noteOf(notes, name).err, noteOf(notes, name).code]).toEqual([name, "", 0]);
}

onTheNode(
  "a disk that multipathd makes of two paths is one guest's, while a path is lost and comes back, and the paths are no guest's",
  async () => {
    const notes = await onNode(`
    ${MULTIPATH}
    labels_of_paths() { for path in $(paths); do label_of /dev/$path; echo; done; }
    facts() { label_of $node; stat -c ' %u %a' $node; }
    copy halt lun.img
    serve_paths lun
    node=$(map_node)
    note paths paths
    note pool svirt pool-create-as life-pool mpath --target /dev/mapper
    note list svirt vol-list life-pool
    note before facts
    guest life-a "$(block /dev/disk/by-id/dm-name-mpatha vda)"
    note start svirt start life-a
    note own label_in_xml life-a imagelabel
    note during facts
    note files ls -l /proc/$(pid_of life-a)/fd
    note rule sh -c 'cat /run/udev/rules.d/99-svirt-*'
    note number cat /sys/class/block/$(basename $node)/dev
    note ofpaths labels_of_paths
    set -- /dev/mapper/mpatha /dev/disk/by-id/dm-uuid-mpath-3* $(paths | sed 's,^,/dev/,') /dev/disk/by-id/scsi-3*
    note tried echo $#
    number=0
    for name; do
      guest life-b "$(block $name vda)"
      number=$((number + 1))
      note other-$number svirt start life-b
    done
    lost=$(paths | tail -n 1)
    echo offline >/sys/block/$lost/device/state
    note failed wait_for has_paths 1 F
    tool udevadm settle
    note afterfailed facts
    echo running >/sys/block/$lost/device/state
    note restored wait_for has_paths 2 A
    log_out
    note gone wait_for are_paths 1
    tool udevadm settle
    note aftergone facts
    log_in
    note back wait_for has_paths 2 A
    tool udevadm settle
    note afterback facts
    note ofnew labels_of_paths
    note state svirt domstate life-a
    note audit svirt audit
    note destroy svirt destroy life-a
    note after facts
    note left left life-a
    note rules sh -c 'ls /run/udev/rules.d/99-svirt-* 2>/dev/null || :'
    guest life-b "$(block /dev/mapper/mpatha vda)"
    note then svirt start life-b
    svirt destroy life-b
    for name in life-a life-b; do svirt undefine $name; done
    svirt pool-destroy life-pool
    end_paths
  `);
    expect(outOf(notes, "paths")).toMatch(/^sd[a-z]\nsd[a-z]$/);
    expectDone(notes, "pool", "start", "failed", "restored", "gone", "back", "audit", "destroy", "then");
    const [name] = /dm-\d+/.exec(outOf(notes, "files")) ?? [];
    expect(outOf(notes, "list")).toMatch(new RegExp(`^ *${name} +/dev/mapper/mpatha$`, "m"));
    expect(outOf(notes, "files")).not.toMatch(/\/dev\/sd/);
    const [major, minor] = outOf(notes, "number").split(":");
    expect(outOf(notes, "rule").match(/SECLABEL/g)).toHaveLength(1);
    expect(outOf(notes, "rule")).toContain(`ENV{MAJOR}=="${major}", ENV{MINOR}=="${minor}"`);
    const during = outOf(notes, "during");
    expect(during).toMatch(PRIVATE);
    expect(during).toStartWith(`${outOf(notes, "own")} `);
    // A lost path and a new table are events of the device, at which udevd sets its label again.
    for (const moment of ["afterfailed", "aftergone", "afterback"])
      expect([moment, outOf(notes, moment)]).toEqual([moment, during]);
    for (const paths of ["ofpaths", "ofnew"])
      expect([paths, outOf(notes, paths)]).toEqual([paths, `${DEFAULT}\n${DEFAULT}`]);
    expect(outOf(notes, "tried")).toBe("5");
    for (const number of [1, 2])
      expect(noteOf(notes, `other-${number}`)).toMatchObject({
        code: 5,
        err: expect.stringContaining(`the guest ${uuidOf("life-a")} uses that file`),
      });
    for (const number of [3, 4, 5])
      expect(noteOf(notes, `other-${number}`)).toMatchObject({
        code: 4,
        err: expect.stringContaining("the host uses it"),
      });
    expect(outOf(notes, "state")).toBe("running");
    expect(outOf(notes, "audit")).toContain("No findings.");
    expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
    expect([outOf(notes, "left"), outOf(notes, "rules")]).toEqual(["", ""]);
  },
  { timeoutMs: 300_000 },
);
