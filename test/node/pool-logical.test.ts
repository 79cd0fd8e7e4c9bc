import { expect } from "bun:test";
import { LVM_SCENE } from "./harness/lvm-scene.ts";
import { type Notes, noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";

// Pools of type logical and disk, whose volumes svirt makes, on a loop device and on a disk in the node's
// memory.

const onTheNode = await onANode();
const MiB = 1024 * 1024;
/** Label of a disk of no guest. */
const OF_A_DISK = "system_u:object_r:fixed_disk_device_t:s0";

function expectDone(notes: Notes, ...names: readonly string[]): void {
  for (const name of names)
    expect([name, noteOf(notes, name).err, noteOf(notes, name).code]).toEqual([name, "", 0]);
}

onTheNode(
  "a logical volume is made, labelled for a guest, shown and deleted, and nothing is left",
  async () => {
    const notes = await onNode(`
    ${LVM_SCENE}
    note define svirt pool-define-as life-lv logical --source-dev $loop --source-name life-vg
    note build svirt pool-build life-lv
    note again svirt pool-build life-lv --overwrite
    note sources svirt find-storage-pool-sources logical
    note start svirt pool-start life-lv
    note empty svirt pool-info life-lv --bytes
    note create svirt vol-create-as life-lv one 8M
    note full svirt vol-create-as life-lv big 128M
    note list svirt vol-list life-lv --details
    note key svirt vol-key one --pool life-lv
    note uuid sh -c "lvm lvs --noheadings -o lv_uuid life-vg/one | tr -d ' '"
    note xml svirt vol-dumpxml one --pool life-lv
    note info svirt pool-info life-lv --bytes
    note upload svirt vol-upload one $here/boot/halt --pool life-lv
    note uploaded sh -c "head -c $(stat -c %s $here/boot/halt) /dev/life-vg/one | cmp - $here/boot/halt"
    node=$(readlink -f /dev/life-vg/one)
    note before label_of $node
    guest life-l "$(volume one)"
    note run svirt start life-l
    note private label_of $node
    note own label_in_xml life-l
    note kept svirt vol-delete one --pool life-lv
    note busy svirt pool-destroy life-lv
    note still svirt pool-list --name
    note audit svirt audit
    svirt destroy life-l >/dev/null
    note after label_of $node
    note named svirt vol-delete one --pool life-lv
    svirt undefine life-l >/dev/null
    note snap svirt vol-create-as life-lv snap 8M --backing-vol one
    note origin svirt vol-dumpxml snap --pool life-lv
    note needed svirt vol-delete one --pool life-lv
    note sparse svirt vol-create-as life-lv sparse 64M --allocation 4M
    note sizes svirt vol-info sparse --pool life-lv --bytes
    note unwiped svirt vol-wipe sparse --pool life-lv
    note wipe svirt vol-wipe one --pool life-lv
    note zeros cmp -n 8388608 /dev/life-vg/one /dev/zero
    note resize svirt vol-resize one 16M --pool life-lv
    for volume in sparse snap one; do note delete-$volume svirt vol-delete $volume --pool life-lv; done
    note gone lvm lvs --noheadings -o lv_name life-vg
    note refresh svirt pool-refresh life-lv
    note destroy svirt pool-destroy life-lv
    note nodes ls /dev/life-vg
    note delete svirt pool-delete life-lv
    note groups lvm vgs --noheadings
    note parts lvm pvs --noheadings
    finish
  `);
    expectDone(notes, "define", "build", "start", "create", "upload", "uploaded", "run");
    expect(noteOf(notes, "again").code).toBe(4);
    expect(outOf(notes, "sources")).toContain("<name>life-vg</name>");
    expect(outOf(notes, "empty")).toMatch(/Allocation:\s+0$/m);
    expect([noteOf(notes, "full").code, noteOf(notes, "full").err]).toEqual([
      1,
      expect.stringContaining("insufficient free space"),
    ]);
    expect(outOf(notes, "list")).not.toContain("big");
    expect(outOf(notes, "list")).toMatch(/one +\/dev\/life-vg\/one +block/);
    expect(outOf(notes, "key")).toBe(outOf(notes, "uuid"));
    expect(outOf(notes, "xml")).toMatch(
      /<device path='\/dev\/loop\d+'>\n +<extent start='0' end='8388608'\/>/,
    );
    expect(outOf(notes, "info")).toMatch(new RegExp(`Allocation:\\s+${8 * MiB}$`, "m"));
    expect(outOf(notes, "before")).toBe(OF_A_DISK);
    expect(outOf(notes, "private")).toMatch(/^system_u:object_r:svirt_image_t:s0:c\d+,c\d+$/);
    expect(outOf(notes, "private").split(":s0:")[1]).toBe(outOf(notes, "own").split(":s0:")[1] ?? "");
    for (const name of ["kept", "busy", "named", "needed"])
      expect([name, noteOf(notes, name).code]).toEqual([name, 5]);
    expect(outOf(notes, "still")).toBe("life-lv");
    expect(outOf(notes, "audit")).toContain("No findings.");
    expect(outOf(notes, "after")).toBe(OF_A_DISK);
    expectDone(notes, "snap", "sparse", "wipe", "zeros");
    expect(outOf(notes, "origin")).toContain("<path>/dev/life-vg/one</path>");
    expect(outOf(notes, "sizes")).toMatch(new RegExp(`Capacity:\\s+${64 * MiB} bytes`));
    expect(outOf(notes, "sizes")).toMatch(new RegExp(`Allocation:\\s+${4 * MiB} bytes`));
    expect(noteOf(notes, "unwiped").err).toContain("is sparse, volume wipe not supported");
    expect(noteOf(notes, "resize").err).toContain("does not support changing of volume capacity");
    expectDone(notes, "delete-sparse", "delete-snap", "delete-one", "refresh", "destroy", "delete");
    expect([outOf(notes, "gone"), outOf(notes, "groups"), outOf(notes, "parts")]).toEqual(["", "", ""]);
    expect(noteOf(notes, "nodes").out.trim()).toBe("");
  },
  { timeoutMs: 180_000 },
);

onTheNode(
  "a thin volume is listed and labelled, and its pool is no volume",
  async () => {
    const notes = await onNode(`
    ${LVM_SCENE}
    svirt pool-define-as life-lv logical --source-dev $loop --source-name life-vg >/dev/null
    svirt pool-build life-lv >/dev/null
    note pool lvm lvcreate --yes --type thin-pool -L 16M --name pool life-vg
    note thin lvm lvcreate --yes --type thin -V 32M --thinpool pool --name thin life-vg
    note start svirt pool-start life-lv
    note list svirt vol-list life-lv
    note xml svirt vol-dumpxml thin --pool life-lv
    node=$(readlink -f /dev/life-vg/thin)
    guest life-l "$(volume thin)"
    note run svirt start life-l
    note private label_of $node
    svirt destroy life-l >/dev/null
    svirt undefine life-l >/dev/null
    note after label_of $node
    note destroy svirt pool-destroy life-lv
    note full svirt pool-delete life-lv
    finish
  `);
    for (const name of ["pool", "thin"]) expect(noteOf(notes, name)).toMatchObject({ code: 0 });
    expectDone(notes, "start", "run", "destroy");
    expect(outOf(notes, "list")).toContain("/dev/life-vg/thin");
    expect(outOf(notes, "list")).not.toMatch(/^ pool /m);
    expect(outOf(notes, "xml")).toContain(`<capacity unit='bytes'>${32 * MiB}</capacity>`);
    expect(outOf(notes, "private")).toMatch(/^system_u:object_r:svirt_image_t:s0:c\d+,c\d+$/);
    expect(outOf(notes, "after")).toBe(OF_A_DISK);
    expect(noteOf(notes, "full").code).toBe(4);
  },
  { timeoutMs: 120_000 },
);

onTheNode(
  "a partition is made, given to a guest and deleted, while a guest has another one",
  async () => {
    const notes = await onNode(`
    clean
    modprobe -a sd_mod
    modprobe scsi_debug dev_size_mb=32
    wait_for has_scsi_disks 1
    unit=$(basename "$(ls -d /sys/bus/pseudo/drivers/scsi_debug/adapter0/host*/target*/*:*:*:* | head -n 1)")
    name=$(ls /sys/bus/scsi/devices/$unit/block)
    svirt pool-undefine life-parts >/dev/null 2>&1
    note define svirt pool-define-as life-parts disk --source-dev /dev/$name --source-format gpt --target /dev
    note start svirt pool-start life-parts --build
    note first svirt vol-create-as life-parts \${name}1 4M
    note list svirt vol-list life-parts
    note before label_of /dev/\${name}1
    guest life-l "<disk type='volume' device='disk'><driver name='qemu' type='raw'/><source pool='life-parts' volume='\${name}1'/><target dev='vda' bus='virtio'/></disk>"
    note run svirt start life-l
    note private label_of /dev/\${name}1
    note second svirt vol-create-as life-parts \${name}2 4M
    note xml svirt vol-dumpxml \${name}2 --pool life-parts
    note wrong svirt vol-create-as life-parts other 1M
    note kept svirt vol-delete \${name}1 --pool life-parts
    note delete svirt vol-delete \${name}2 --pool life-parts
    note left svirt vol-list life-parts
    note still label_of /dev/\${name}1
    note build svirt pool-build life-parts --overwrite
    svirt destroy life-l >/dev/null
    svirt undefine life-l >/dev/null
    note after label_of /dev/\${name}1
    note last svirt vol-delete \${name}1 --pool life-parts
    note none ls /sys/class/block/\${name}1
    note destroy svirt pool-destroy life-parts
    note refused svirt pool-build life-parts
    note over svirt pool-build life-parts --overwrite
    svirt pool-undefine life-parts >/dev/null
    rmmod scsi_debug
    clean
  `);
    expectDone(notes, "define", "start", "first", "run", "second", "delete", "last", "destroy", "over");
    expect(outOf(notes, "list")).toMatch(/sd[a-z]+1 +\/dev\/sd[a-z]+1/);
    expect(outOf(notes, "private")).toMatch(/^system_u:object_r:svirt_image_t:s0:c\d+,c\d+$/);
    expect(outOf(notes, "still")).toBe(outOf(notes, "private"));
    expect(outOf(notes, "xml")).toContain(`<extent start='${5 * MiB}' end='${9 * MiB}'/>`);
    expect(noteOf(notes, "wrong").err).toMatch(/invalid partition name 'other', expected 'sd[a-z]+3'/);
    expect([noteOf(notes, "kept").code, noteOf(notes, "build").code]).toEqual([5, 5]);
    expect(noteOf(notes, "build").err).toContain("the domain 'life-l' has the disk /dev/sd");
    expect(outOf(notes, "left")).not.toMatch(/sd[a-z]+2/);
    expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
    expect(noteOf(notes, "none").code).not.toBe(0);
    expect(noteOf(notes, "refused").err).toContain("Valid disk label already present");
  },
  { timeoutMs: 120_000 },
);
