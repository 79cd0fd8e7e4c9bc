import { expect } from "bun:test";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";

const onTheNode = await onANode();

/** Guest with a disk of 1 MiB. Reads and writes by `tell` take the path of the guest's own requests. */
const GUEST = `
  clean
  copy halt a.img
  truncate -s 1M $here/a.img
  tell() {
    svirt qemu-monitor-command life-a "{\\"execute\\":\\"human-monitor-command\\",\\"arguments\\":{\\"command-line\\":\\"qemu-io -d /machine/peripheral/virtio-disk0/virtio-backend \\\\\\"$1\\\\\\"\\"}}"
  }
  access_of() {
    for one in /proc/$(pid_of life-a)/fd/*; do
      [ "$(readlink "$one")" != "$1" ] || sed -n 's/^flags:.*\\(.\\)$/\\1/p' "/proc/$(pid_of life-a)/fdinfo/\${one##*/}"
    done | sort -u | tr '\\n' ' '
  }
  byte_at() { od -An -tx1 -j "$2" -N 1 "$1" | tr -d ' '; }
  guest life-a "$(disk $here/a.img)"
`;

/** Runs qemu-img of this machine on an image of the node. */
function qemuImg(
  base64: string,
  ...words: readonly string[]
): { readonly code: number; readonly out: string } {
  const folder = fs.mkdtempSync(join(tmpdir(), "svirt-image-"));
  try {
    const filename = join(folder, "image.qcow2");
    fs.writeFileSync(filename, Buffer.from(base64, "base64"));
    // The backing file is not on this machine.
    const alone = { driver: "qcow2", backing: null, file: { driver: "file", filename } };
    const path = words[0] === "check" ? `json:${JSON.stringify(alone)}` : filename;
    const { exitCode, stderr, stdout } = Bun.spawnSync(["qemu-img", ...words, path]);
    return { code: exitCode, out: `${stdout}${stderr}` };
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** Parses QEMU's results of requests in its log: the bytes done, and whether a read had unexpected data. */
function said(log: string): string[] {
  return log.match(/^(?:(?:wrote|read) \d+\/\d+|Pattern verification failed)/gm) ?? [];
}

for (const type of ["qemu", "kvm"]) {
  onTheNode(`a snapshot of a ${type} guest and its commit: labels, access and what was written`, async () => {
    const notes = await onNode(`
      guest_type=${type}
      ${GUEST}
      note before labels $here/a.img
      svirt start life-a >/dev/null
      note own label_of $here/a.img
      note plan svirt snapshot-create-as life-a s1 --disk-only --no-metadata --dry-run
      note absent test ! -e $here/a.s1
      note snapshot svirt snapshot-create-as life-a s1 --disk-only --atomic --no-metadata
      note overlay label_of $here/a.s1
      note below label_of $here/a.img
      note below-access access_of $here/a.img
      note overlay-access access_of $here/a.s1
      note list svirt domblklist life-a
      note inactive svirt domblklist life-a --inactive
      note write tell "write -P 7 65536 4096"
      note read tell "read -P 7 65536 4096"
      note untouched byte_at $here/a.img 65536
      note audit svirt audit
      guest life-b "$(disk $here/a.img vda '<readonly/>')"
      note reader svirt start life-b
      note taken svirt blockcommit life-a vda --active --pivot
      svirt destroy life-b >/dev/null
      note still label_of $here/a.img
      note commit svirt blockcommit life-a vda --active --pivot --verbose
      note written byte_at $here/a.img 65536
      note after label_of $here/a.img
      note after-access access_of $here/a.img
      note let-go access_of $here/a.s1
      note back label_of $here/a.s1
      note marks labels $here/a.s1
      note again svirt domblklist life-a
      note audit-after svirt audit
      svirt destroy life-a >/dev/null
      note gone left life-a
      note last labels $here/a.img
      note log cat /var/log/svirt/life-a.log
      note image base64 $here/a.s1
    `);
    expect(outOf(notes, "plan")).toContain("create the image /srv/lifecycle/a.s1: qcow2, 1048576 bytes");
    expect(noteOf(notes, "absent").code).toBe(0);
    expect(outOf(notes, "snapshot")).toBe("Domain snapshot s1 created");
    expect([outOf(notes, "overlay"), outOf(notes, "below")]).toEqual([
      outOf(notes, "own"),
      "system_u:object_r:virt_content_t:s0",
    ]);
    // O_ACCMODE of open(2): 0 is for reading, 2 for both.
    expect([outOf(notes, "below-access"), outOf(notes, "overlay-access")]).toEqual(["0", "2"]);
    for (const list of ["list", "inactive"]) expect(outOf(notes, list)).toContain("/srv/lifecycle/a.s1");
    expect([noteOf(notes, "write").code, noteOf(notes, "read").code]).toEqual([0, 0]);
    expect(said(outOf(notes, "log"))).toEqual(["wrote 4096/4096", "read 4096/4096"]);
    expect(outOf(notes, "untouched")).toBe("00");
    for (const audit of ["audit", "audit-after"]) expect(noteOf(notes, audit).out).not.toContain("life-a:");
    expect(noteOf(notes, "reader").code).toBe(0);
    expect([noteOf(notes, "taken").code, noteOf(notes, "taken").err]).toEqual([
      5,
      expect.stringContaining("the guest life-b uses that image"),
    ]);
    expect(outOf(notes, "still")).toBe("system_u:object_r:virt_content_t:s0");
    expect([noteOf(notes, "commit").code, noteOf(notes, "commit").out.trim()]).toEqual([
      0,
      "Successfully pivoted",
    ]);
    expect([outOf(notes, "written"), outOf(notes, "after"), outOf(notes, "after-access")]).toEqual([
      "07",
      outOf(notes, "own"),
      "2",
    ]);
    expect([outOf(notes, "let-go"), outOf(notes, "back").includes("svirt_image_t")]).toEqual(["", false]);
    expect(outOf(notes, "marks")).not.toContain("trusted");
    expect(outOf(notes, "again")).toContain("/srv/lifecycle/a.img");
    expect(noteOf(notes, "gone").out).toBe("");
    expect(outOf(notes, "last")).toBe(outOf(notes, "before"));
    expect(qemuImg(outOf(notes, "image"), "check").code).toBe(0);
  });
}

onTheNode(
  "a copy, a pull and a commit below: each leaves labels and contents as they should be",
  async () => {
    const notes = await onNode(`
    ${GUEST}
    note before labels $here/a.img
    svirt start life-a >/dev/null
    note own label_of $here/a.img
    for name in s1 s2 s3; do
      svirt snapshot-create-as life-a $name --disk-only --no-metadata >/dev/null
      tell "write -P \${name#s} \${name#s}0k 1k" >/dev/null
    done
    note commit svirt blockcommit life-a vda --top $here/a.s2 --base $here/a.s1 --wait
    note commit-base label_of $here/a.s1
    note commit-access access_of $here/a.s1
    note commit-gone label_of $here/a.s2
    note pull svirt blockpull life-a vda --base $here/a.img
    is_idle() { svirt blockjob life-a vda | grep -q '^No current'; }
    note idle wait_for is_idle
    note pull-gone label_of $here/a.s1
    note copy svirt blockcopy life-a vda $here/copy.qcow2 --format qcow2 --pivot
    note copied label_of $here/copy.qcow2
    note copy-gone label_of $here/a.s3
    note base-gone label_of $here/a.img
    note list svirt domblklist life-a
    for name in 1 2 3; do tell "read -P $name \${name}0k 1k" >/dev/null; done
    note audit svirt audit
    svirt destroy life-a >/dev/null
    svirt start life-a >/dev/null
    for name in 1 2 3; do tell "read -P $name \${name}0k 1k" >/dev/null; done
    svirt destroy life-a >/dev/null
    note gone left life-a
    note last labels $here/a.img
    note log cat /var/log/svirt/life-a.log
    note all labels $here/a.s1 $here/a.s2 $here/a.s3 $here/copy.qcow2
    note image base64 $here/copy.qcow2
    note pulled base64 $here/a.s3
  `);
    expect(outOf(notes, "commit")).toBe("\nCommit complete");
    expect([outOf(notes, "commit-base"), outOf(notes, "commit-access")]).toEqual([
      "system_u:object_r:virt_content_t:s0",
      "0",
    ]);
    // A pull continues without svirt, and the next command applies its result.
    expect([outOf(notes, "pull"), noteOf(notes, "idle").code]).toEqual(["Block Pull started", 0]);
    expect(outOf(notes, "copy")).toBe("\nSuccessfully pivoted");
    expect(outOf(notes, "copied")).toBe(outOf(notes, "own"));
    for (const gone of ["commit-gone", "pull-gone", "copy-gone", "base-gone"])
      expect([gone, outOf(notes, gone)]).toEqual([gone, expect.not.stringContaining("virt_")]);
    expect(outOf(notes, "list")).toContain("/srv/lifecycle/copy.qcow2");
    const requests = (count: number, word: string): string[] => new Array(count).fill(`${word} 1024/1024`);
    expect(said(outOf(notes, "log"))).toEqual([...requests(3, "wrote"), ...requests(6, "read")]);
    expect(noteOf(notes, "audit").out).not.toContain("life-a:");
    expect(noteOf(notes, "gone").out).toBe("");
    expect(outOf(notes, "last")).toBe(outOf(notes, "before"));
    expect(outOf(notes, "all")).not.toContain("trusted");
    expect(outOf(notes, "all")).not.toContain("svirt_image_t");
    const copy = qemuImg(outOf(notes, "image"), "check");
    expect([copy.code, copy.out]).toEqual([0, expect.stringContaining("No errors")]);
    const info = JSON.parse(qemuImg(outOf(notes, "pulled"), "info", "--output=json", "-f", "qcow2").out);
    expect([info["backing-filename"], info["backing-filename-format"]]).toEqual([
      "/srv/lifecycle/a.img",
      "raw",
    ]);
  },
);

onTheNode(
  "svirt killed at any step of a snapshot, and a guest that ends under a job: nothing is left",
  async () => {
    const notes = await onNode(`
    ${GUEST}
    note before labels $here/a.img
    svirt start life-a >/dev/null
    note own labels $here/a.img
    # A drill takes the steps before QEMU's work.
    before_qemu() { "$@" --dry-run | awk '/ -- /{exit}1'; }
    note plan before_qemu svirt snapshot-create-as life-a s1 --disk-only --no-metadata
    count=$(before_qemu svirt snapshot-create-as life-a s1 --disk-only --no-metadata | wc -l)
    for step in $(seq 1 "$count"); do
      for moment in before after; do
        svirt snapshot-create-as life-a s1 --disk-only --no-metadata --crash-drill "$moment:$step" >/dev/null 2>&1
        note "killed-$moment-$step" sh -c "exit $?"
        svirt list >/dev/null
        note "left-$moment-$step" sh -c "ls $here; svirt domblklist life-a | tail -2"
        note "labels-$moment-$step" labels $here/a.img
      done
    done
    svirt snapshot-create-as life-a s1 --disk-only --no-metadata >/dev/null
    note overlaid labels $here/a.img
    count=$(before_qemu svirt blockcommit life-a vda --active | wc -l)
    for step in $(seq 1 "$count"); do
      svirt blockcommit life-a vda --active --crash-drill "after:$step" >/dev/null 2>&1
      note "struck-$step" sh -c "exit $?"
      svirt list >/dev/null
      note "again-$step" sh -c "svirt blockjob life-a vda"
      svirt blockjob life-a vda --abort >/dev/null 2>&1 || :
      note "relabelled-$step" labels $here/a.img
    done
    note pivot svirt blockcommit life-a vda --pivot
    note pivoted labels $here/a.img
    note copy svirt blockcopy life-a vda $here/copy.raw --format raw --wait
    note during label_of $here/copy.raw
    note info svirt blockjob life-a vda
    note busy svirt snapshot-create-as life-a s1 --disk-only --no-metadata
    note detach svirt detach-disk life-a vda
    svirt destroy life-a >/dev/null
    note gone left life-a
    note last labels $here/a.img
    note copied labels $here/copy.raw
    note same cmp $here/a.img $here/copy.raw
  `);
    const steps = outOf(notes, "plan").split("\n").length;
    expect(steps).toBeGreaterThan(3);
    for (let step = 1; step <= steps; step += 1) {
      for (const moment of ["before", "after"]) {
        const place = `${moment}-${step}`;
        expect([place, noteOf(notes, `killed-${place}`).code]).toEqual([place, 137]);
        expect([place, outOf(notes, `left-${place}`)]).toEqual([place, expect.not.stringContaining("a.s1")]);
        expect([place, outOf(notes, `labels-${place}`)]).toEqual([place, outOf(notes, "own")]);
      }
    }
    for (let step = 1; step <= 3; step += 1) {
      expect([step, noteOf(notes, `struck-${step}`).code]).toEqual([step, 137]);
      expect([step, outOf(notes, `again-${step}`)]).toEqual([step, "No current block job for vda"]);
      expect([step, outOf(notes, `relabelled-${step}`)]).toEqual([step, outOf(notes, "overlaid")]);
    }
    expect(outOf(notes, "overlaid")).toContain("virt_content_t");
    expect([outOf(notes, "pivot"), outOf(notes, "pivoted")]).toEqual([
      "\nSuccessfully pivoted",
      outOf(notes, "own"),
    ]);
    expect(outOf(notes, "copy")).toBe("\nNow in mirroring phase");
    expect(outOf(notes, "during")).toContain(":svirt_image_t:s0:c");
    expect(noteOf(notes, "info").progress).toBe("\rBlock Copy: [100.00 %]");
    for (const busy of ["busy", "detach"]) {
      expect([noteOf(notes, busy).code, noteOf(notes, busy).err]).toEqual([
        4,
        expect.stringContaining("already in active block job"),
      ]);
    }
    expect(noteOf(notes, "gone").out).toBe("");
    expect(outOf(notes, "last")).toBe(outOf(notes, "before"));
    expect([outOf(notes, "copied").includes("trusted"), outOf(notes, "copied").includes("virt_")]).toEqual([
      false,
      false,
    ]);
    expect(noteOf(notes, "same").code).toBe(0);
  },
);

onTheNode(
  "a block device gets an overlay that is a file, and a copy of it a block device's place",
  async () => {
    const notes = await onNode(`
    ${GUEST}
    guest life-b "<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='/dev/vdd'/><target dev='vda' bus='virtio'/></disk>"
    note before labels /dev/vdd
    svirt start life-b >/dev/null
    note unnamed svirt snapshot-create-as life-b s1 --disk-only --no-metadata
    note snapshot svirt snapshot-create-as life-b s1 --disk-only --no-metadata --diskspec vda,file=$here/b.s1
    note below label_of /dev/vdd
    note commit svirt blockcommit life-b vda --pivot
    note own label_of /dev/vdd
    note details svirt domblklist life-b --details
    note copy svirt blockcopy life-b vda $here/b.raw --pivot
    note copied label_of $here/b.raw
    note back labels /dev/vdd
    note return svirt blockcopy life-b vda /dev/vdd --blockdev --pivot
    note again label_of /dev/vdd
    note audit svirt audit
    svirt destroy life-b >/dev/null
    note gone left life-b
    note last labels /dev/vdd
    note same cmp /dev/vdd $here/b.raw
  `);
    expect([noteOf(notes, "unnamed").code, noteOf(notes, "unnamed").err]).toEqual([
      2,
      expect.stringContaining("cannot generate external snapshot name for disk 'vda' on a 'block' device"),
    ]);
    expect(outOf(notes, "snapshot")).toBe("Domain snapshot s1 created");
    expect(outOf(notes, "below")).toBe("system_u:object_r:virt_content_t:s0");
    for (const done of ["commit", "copy", "return"])
      expect([done, outOf(notes, done).trim()]).toEqual([done, "Successfully pivoted"]);
    expect(outOf(notes, "details")).toMatch(/block +disk +vda +\/dev\/vdd/);
    expect([outOf(notes, "copied"), outOf(notes, "again")]).toEqual([
      outOf(notes, "own"),
      outOf(notes, "own"),
    ]);
    expect(outOf(notes, "back")).toBe(outOf(notes, "before"));
    expect(noteOf(notes, "audit").out).not.toContain("life-b:");
    expect(noteOf(notes, "gone").out).toBe("");
    expect(outOf(notes, "last")).toBe(outOf(notes, "before"));
    expect(noteOf(notes, "same").code).toBe(0);
  },
);

onTheNode("snapshots are deleted and one with memory reverted to: the guest never has the file", async () => {
  const notes = await onNode(`
    ${GUEST}
    copy count a.img
    truncate -s 1M $here/a.img
    : >$here/serial.log
    guest life-a "$(disk $here/a.img)<serial type='file'><source path='$here/serial.log' append='on'/></serial>"
    counted() { wc -c <$here/serial.log; }
    is_beyond() { [ "$(counted)" -gt "$1" ]; }
    all="$here/a.img $here/serial.log"
    note before labels $all
    svirt start life-a >/dev/null
    note own label_of $here/a.img
    note context context_of $(pid_of life-a)
    svirt snapshot-create-as life-a s1 --disk-only >/dev/null
    tell "write -P 1 64k 1k" >/dev/null
    note running svirt snapshot-delete life-a s1
    note running-label label_of $here/a.img
    note running-byte byte_at $here/a.img 65536
    wait_for is_beyond 5
    svirt suspend life-a >/dev/null
    { svirt snapshot-create-as life-a s2 --memspec file=$here/a.memory; } >$here/out 2>&1 &
    taking=$!
    while kill -0 $taking 2>/dev/null; do
      for file in $here/.svirt-*.memory $here/a.memory; do [ ! -e "$file" ] || { label_of "$file"; echo; }; done
    done 2>/dev/null | sort -u >$here/seen
    wait $taking
    note taken cat $here/out
    note seen cat $here/seen
    taken=$(counted)
    note memory labels $here/a.memory
    note mode stat -c '%a %u' $here/a.memory
    note overlay label_of $here/a.s2
    note below label_of $here/a.img
    svirt resume life-a >/dev/null
    tell "write -P 2 64k 1k" >/dev/null
    wait_for is_beyond $((taken + 5))
    note revert svirt snapshot-revert life-a s2
    note state svirt domstate life-a
    reverted=$(counted)
    note let-go labels $here/a.s2
    note again context_of $(pid_of life-a)
    note again-below label_of $here/a.img
    note again-overlay label_of "$(svirt domblklist life-a | sed -n 's/^ vda *//p')"
    note still labels $here/a.memory
    svirt resume life-a >/dev/null
    note goes-on wait_for is_beyond $((reverted + 1))
    note next byte_at $here/serial.log $taken
    note next-again byte_at $here/serial.log $reverted
    tell "read -P 1 64k 1k" >/dev/null
    tell "write -P 3 64k 1k" >/dev/null
    note audit svirt audit
    svirt destroy life-a >/dev/null
    note needed svirt snapshot-delete life-a s2
    rm $here/a.s2
    note off svirt snapshot-delete life-a s2
    note off-byte byte_at $here/a.img 65536
    note list svirt domblklist life-a
    note gone left life-a
    note after labels $all
    note files ls $here
    note log cat /var/log/svirt/life-a.log
  `);
  for (const name of ["running", "revert", "goes-on", "off"])
    expect([name, noteOf(notes, name).code]).toEqual([name, 0]);
  expect([outOf(notes, "running-label"), outOf(notes, "running-byte")]).toEqual([outOf(notes, "own"), "01"]);
  expect(outOf(notes, "taken")).toBe("Domain snapshot s2 created");
  for (const name of ["seen", "memory", "still"])
    expect(outOf(notes, name)).toMatch(/^[^:]*:object_r:var_t:s0"?$/m);
  for (const name of ["seen", "memory", "still", "let-go"])
    expect([name, outOf(notes, name)]).toEqual([name, expect.not.stringMatching(/virt_|:c\d|trusted/)]);
  expect(outOf(notes, "mode")).toBe("600 0");
  for (const [overlay, below] of [
    ["overlay", "below"],
    ["again-overlay", "again-below"],
  ] as const)
    expect([outOf(notes, overlay), outOf(notes, below)]).toEqual([
      outOf(notes, "own"),
      "system_u:object_r:virt_content_t:s0",
    ]);
  expect([outOf(notes, "state"), outOf(notes, "again")]).toEqual(["paused", outOf(notes, "context")]);
  // The guest counts on its serial port: it says the same number again.
  expect(outOf(notes, "next")).toMatch(/^[0-9a-f]{2}$/);
  expect(outOf(notes, "next-again")).toBe(outOf(notes, "next"));
  expect(said(outOf(notes, "log"))).toEqual(
    ["wrote", "wrote", "read", "wrote"].map((word) => `${word} 1024/1024`),
  );
  expect(noteOf(notes, "audit").out).not.toContain("life-a:");
  expect([noteOf(notes, "needed").code, noteOf(notes, "needed").err]).toEqual([
    5,
    expect.stringContaining("the volume /srv/lifecycle/a.s2 needs it"),
  ]);
  expect(outOf(notes, "off-byte")).toBe("03");
  expect(outOf(notes, "list")).toMatch(/^ vda +\/srv\/lifecycle\/a\.img$/m);
  expect(noteOf(notes, "gone").out).toBe("");
  expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
  // The overlays and the memory of the deleted snapshots are gone.
  expect(outOf(notes, "files").split("\n")).toEqual(["a.img", "boot", "lib.sh", "out", "seen", "serial.log"]);
});
