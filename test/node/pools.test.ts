import { expect } from "bun:test";
import { noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";

const onTheNode = await onANode();

/** A pool below a folder of /var that does not exist yet. */
const SCENE = `
  clean
  pool=/srv/lifecycle/pools/one
  remove() {
    svirt pool-destroy life-pool >/dev/null 2>&1
    svirt pool-undefine life-pool >/dev/null 2>&1
    clean
  }
  remove
`;

/** Label of a file of no guest in /srv: the policy's file contexts, by matchpathcon(8). */
const OF_THE_PLACE = /^system_u:object_r:\w+_t:s0$/;

onTheNode("a pool is built with its parents, started, listed, destroyed and deleted", async () => {
  const notes = await onNode(`
    ${SCENE}
    note define svirt pool-define-as life-pool dir --target $pool
    note build svirt pool-build life-pool
    note mode stat -c '%a %u:%g' $pool
    note label label_of $pool
    note start svirt pool-start life-pool
    note list svirt pool-list --name
    note info svirt pool-info life-pool --bytes
    note df df -B1 $pool
    svirt pool-autostart life-pool >/dev/null
    svirt pool-destroy life-pool >/dev/null
    note recover svirt recover --autostart
    note again svirt pool-list --name
    note active svirt pool-delete life-pool
    svirt pool-destroy life-pool >/dev/null
    touch $pool/kept
    note full svirt pool-delete life-pool
    rm $pool/kept
    note delete svirt pool-delete life-pool
    note gone ls -d $pool
    note undefine svirt pool-undefine life-pool
    note none svirt pool-list --all --name
    remove
  `);
  expect(outOf(notes, "define")).toBe("Pool life-pool defined");
  expect(outOf(notes, "build")).toBe("Pool life-pool built");
  expect(outOf(notes, "mode")).toBe("711 0:0");
  expect(outOf(notes, "label")).toMatch(OF_THE_PLACE);
  expect(outOf(notes, "start")).toBe("Pool life-pool started");
  expect(outOf(notes, "list")).toBe("life-pool");
  const [, size] = outOf(notes, "df").split("\n")[1]?.split(/\s+/) ?? [];
  expect(outOf(notes, "info")).toMatch(/State:\s+running/);
  expect(outOf(notes, "info")).toMatch(new RegExp(`Capacity:\\s+${size}$`, "m"));
  expect(noteOf(notes, "recover").code).toBe(0);
  expect(outOf(notes, "again")).toBe("life-pool");
  expect(noteOf(notes, "active").code).toBe(4);
  expect(noteOf(notes, "full").code).not.toBe(0);
  expect(outOf(notes, "delete")).toBe("Pool life-pool deleted");
  expect(noteOf(notes, "gone").code).not.toBe(0);
  expect([noteOf(notes, "undefine").code, outOf(notes, "none")]).toEqual([0, ""]);
});

onTheNode("a pool is no way to a folder of the host", async () => {
  const notes = await onNode(`
    ${SCENE}
    mkdir -p $here/pools
    ln -s /etc $here/pools/link
    for target in / /etc /etc/svirt-pool /root /root/pool /usr/pool /boot /proc/pool /srv/../etc $here/pools/link $here/pools/link/pool; do
      name=$(echo $target | tr / _)
      note "$name" sh -c "svirt pool-define-as life-pool dir --target $target && svirt pool-build life-pool && svirt pool-start life-pool"
      svirt pool-undefine life-pool >/dev/null 2>&1
    done
    note made ls -d /etc/svirt-pool /root/pool /usr/pool /etc/pool
    remove
  `);
  const tried = [...notes.keys()].filter((name) => name !== "made");
  expect(tried).toHaveLength(11);
  for (const name of tried) expect([name, noteOf(notes, name).code]).not.toEqual([name, 0]);
  expect(noteOf(notes, "made").out.trim()).toBe("");
});

onTheNode("a guest's disk is a volume of a pool, which is not deleted while the guest runs", async () => {
  const notes = await onNode(`
    ${SCENE}
    svirt pool-define-as life-pool dir --target $pool >/dev/null
    svirt pool-start life-pool --build >/dev/null
    note create svirt vol-create-as life-pool disk.img 1M --format raw
    note second svirt vol-create-as life-pool disk.img 1M --format raw
    note layer svirt vol-create-as life-pool layer.qcow2 1M --format qcow2 --backing-vol disk.img --backing-vol-format raw
    note path svirt vol-path disk.img --pool life-pool
    note label label_of $pool/disk.img
    note mode stat -c '%a %u:%g %s' $pool/disk.img
    note below svirt vol-delete disk.img --pool life-pool
    svirt vol-delete layer.qcow2 --pool life-pool >/dev/null
    note upload svirt vol-upload disk.img $here/boot/halt --pool life-pool
    note uploaded sh -c "head -c $(stat -c %s $here/boot/halt) $pool/disk.img | cmp - $here/boot/halt"
    note download svirt vol-download disk.img $here/copy.img --pool life-pool
    note downloaded cmp $pool/disk.img $here/copy.img
    note kept label_of $pool/disk.img
    guest life-v "$(disk $pool/disk.img)"
    note start svirt start life-v
    note private label_of $pool/disk.img
    note own label_in_xml life-v
    note xml svirt vol-dumpxml disk.img --pool life-pool
    note delete svirt vol-delete disk.img --pool life-pool
    note overwrite svirt vol-upload disk.img $here/boot/halt --pool life-pool
    note wipe svirt vol-wipe disk.img --pool life-pool
    note audit svirt audit
    svirt destroy life-v >/dev/null
    note after label_of $pool/disk.img
    note trace left life-v
    svirt undefine life-v >/dev/null
    note wiped svirt vol-wipe disk.img --pool life-pool
    note zeros cmp -n 1048576 $pool/disk.img /dev/zero
    note last svirt vol-delete disk.img --pool life-pool
    note empty ls -A $pool
    remove
  `);
  expect(outOf(notes, "create")).toBe("Vol disk.img created");
  expect(noteOf(notes, "second").code).not.toBe(0);
  expect(noteOf(notes, "second").err).toContain("disk.img");
  expect(outOf(notes, "layer")).toBe("Vol layer.qcow2 created");
  expect(outOf(notes, "path")).toBe("/srv/lifecycle/pools/one/disk.img");
  expect(outOf(notes, "label")).toMatch(OF_THE_PLACE);
  expect(outOf(notes, "mode")).toBe("600 0:0 1048576");
  expect(noteOf(notes, "below").code).toBe(5);
  for (const name of ["upload", "uploaded", "download", "downloaded"])
    expect([name, noteOf(notes, name).code, noteOf(notes, name).err]).toEqual([name, 0, ""]);
  expect(outOf(notes, "kept")).toBe(outOf(notes, "label"));
  expect([noteOf(notes, "start").code, noteOf(notes, "start").err]).toEqual([0, ""]);
  expect(outOf(notes, "private")).toMatch(/^system_u:object_r:svirt_image_t:s0:c\d+,c\d+$/);
  expect(outOf(notes, "private").split(":s0:")[1]).toBe(outOf(notes, "own").split(":s0:")[1] ?? "");
  expect(outOf(notes, "xml")).toContain(`<label>${outOf(notes, "private")}</label>`);
  expect(noteOf(notes, "delete").code).toBe(5);
  expect(noteOf(notes, "delete").err).toContain("life-v");
  expect([noteOf(notes, "overwrite").code, noteOf(notes, "wipe").code]).toEqual([5, 5]);
  expect(outOf(notes, "audit")).toContain("No findings.");
  expect(outOf(notes, "after")).toBe(outOf(notes, "label"));
  expect(noteOf(notes, "trace").out).toBe("");
  expect(noteOf(notes, "wiped").code).toBe(0);
  expect(noteOf(notes, "zeros").code).toBe(0);
  expect(outOf(notes, "last")).toBe("Vol disk.img deleted");
  expect(outOf(notes, "empty")).toBe("");
});

onTheNode(
  "a disk that is a volume of a pool starts while the pool is active, and is a volume again at its end",
  async () => {
    const notes = await onNode(`
    ${SCENE}
    svirt pool-define-as life-pool dir --target $pool >/dev/null
    svirt pool-start life-pool --build >/dev/null
    svirt vol-create-as life-pool base.raw 1M --format raw >/dev/null
    dd if=$here/boot/halt of=$pool/base.raw conv=notrunc 2>/dev/null
    note clone svirt vol-clone base.raw disk.raw --pool life-pool
    note same cmp $pool/base.raw $pool/disk.raw
    note resize svirt vol-resize disk.raw 4M --pool life-pool
    note size stat -c %s $pool/disk.raw
    note printed sh -c "svirt vol-download base.raw - --pool life-pool | cmp - $pool/base.raw"
    note tables svirt vol-create-as life-pool tables.qcow2 1M --format qcow2 --prealloc-metadata
    note moved svirt vol-resize tables.qcow2 8T --pool life-pool
    note whole qemu-img check -f qcow2 $pool/tables.qcow2
    note deleted svirt vol-delete tables.qcow2 --pool life-pool
    printf "<volume><name>conv.qcow2</name><target><format type='qcow2'/></target></volume>" >$here/conv.xml
    note converted svirt vol-create-from life-pool $here/conv.xml base.raw --inputpool life-pool
    note equal qemu-img compare -f qcow2 -F raw $pool/conv.qcow2 $pool/base.raw
    note place label_of $pool/conv.qcow2
    note above svirt vol-create-as life-pool top.qcow2 2M --format qcow2 --backing-vol conv.qcow2 --backing-vol-format qcow2
    printf "<volume><name>flat.raw</name></volume>" >$here/flat.xml
    note undeclared svirt vol-create-from life-pool $here/flat.xml top.qcow2 --inputpool life-pool
    note flat svirt vol-create-from life-pool $here/flat.xml top.qcow2 --inputpool life-pool --inputformat qcow2
    note begins cmp -n 1048576 $pool/flat.raw $pool/base.raw
    for name in flat.raw top.qcow2 conv.qcow2; do note gone-$name svirt vol-delete $name --pool life-pool; done
    guest life-v "<disk type='volume' device='disk'><driver name='qemu' type='raw'/><source pool='life-pool' volume='disk.raw'/><target dev='vda' bus='virtio'/></disk>"
    svirt pool-destroy life-pool >/dev/null
    note inactive svirt start life-v
    svirt pool-start life-pool >/dev/null
    note start svirt start life-v
    note private label_of $pool/disk.raw
    note own label_in_xml life-v
    note neighbour label_of $pool/base.raw
    note list svirt domblklist life-v
    note xml svirt dumpxml life-v
    note grow svirt vol-resize disk.raw 8M --pool life-pool
    note snapshot svirt snapshot-create-as life-v top --disk-only --no-metadata
    note after svirt dumpxml life-v --inactive
    note held svirt vol-delete disk.raw --pool life-pool
    note destroy svirt pool-destroy life-pool
    note still svirt domstate life-v
    svirt destroy life-v >/dev/null
    note left label_of $pool/disk.raw
    note trace left life-v
    remove
  `);
    expect(noteOf(notes, "clone").code).toBe(0);
    expect(noteOf(notes, "same").code).toBe(0);
    expect([noteOf(notes, "resize").code, outOf(notes, "size")]).toEqual([0, String(4 * 1024 * 1024)]);
    expect([noteOf(notes, "undeclared").code, outOf(notes, "place")]).toEqual([
      5,
      expect.stringMatching(OF_THE_PLACE),
    ]);
    const converted = ["converted", "equal", "above", "flat", "begins"];
    for (const name of ["printed", "tables", "moved", "whole", "deleted", ...converted])
      expect([name, noteOf(notes, name).err, noteOf(notes, name).code]).toEqual([name, "", 0]);
    expect(noteOf(notes, "inactive").code).toBe(4);
    expect(noteOf(notes, "inactive").err).toContain("storage pool 'life-pool' is not active");
    expect([noteOf(notes, "start").code, noteOf(notes, "start").err]).toEqual([0, ""]);
    expect(outOf(notes, "private")).toMatch(/^system_u:object_r:svirt_image_t:s0:c\d+,c\d+$/);
    expect(outOf(notes, "private").split(":s0:")[1]).toBe(outOf(notes, "own").split(":s0:")[1] ?? "");
    expect(outOf(notes, "neighbour")).toMatch(OF_THE_PLACE);
    expect(outOf(notes, "list")).toMatch(/vda +disk\.raw/);
    expect(outOf(notes, "xml")).toContain("<source pool='life-pool' volume='disk.raw' index='1'/>");
    expect(noteOf(notes, "grow").code).toBe(5);
    expect(noteOf(notes, "snapshot").code).toBe(0);
    expect(outOf(notes, "after")).toContain("/srv/lifecycle/pools/one/disk.top");
    expect(noteOf(notes, "held").code).toBe(5);
    expect(noteOf(notes, "destroy").code).toBe(0);
    expect(outOf(notes, "still")).toBe("running");
    expect(outOf(notes, "left")).toMatch(OF_THE_PLACE);
    expect(noteOf(notes, "trace").out).toBe("");
  },
);

/** A pool of the disk in the node's memory, whose node it finds in /dev: the node has no udevd. */
const DISK_SCENE = `
  ${SCENE}
  modprobe -a sd_mod scsi_debug
  wait_for has_scsi_disks 1
  unit=$(basename "$(ls -d /sys/bus/pseudo/drivers/scsi_debug/adapter0/host*/target*/*:*:*:* | head -n 1)")
  disk=/dev/$(ls /sys/bus/scsi/devices/$unit/block)
  end() {
    svirt destroy life-v >/dev/null 2>&1
    svirt undefine life-v >/dev/null 2>&1
    svirt undefine life-w >/dev/null 2>&1
    remove
    rmmod scsi_debug
  }
`;

onTheNode("a disk of a SCSI host is a volume, which a guest gets, and which is wiped after it", async () => {
  const notes = await onNode(`
    ${DISK_SCENE}
    svirt pool-define-as life-pool scsi --adapter-name host\${unit%%:*} --target /dev >/dev/null
    note start svirt pool-start life-pool
    note list svirt vol-list life-pool
    volume=unit:\${unit#*:}
    note key svirt vol-key $volume --pool life-pool
    note xml svirt vol-dumpxml $volume --pool life-pool
    note bytes svirt vol-info $volume --pool life-pool --bytes
    note size cat /sys/class/block/$(basename $disk)/size
    note before label_of $disk
    note upload svirt vol-upload $volume $here/boot/halt --pool life-pool
    note uploaded sh -c "head -c $(stat -c %s $here/boot/halt) $disk | cmp - $here/boot/halt"
    note delete svirt vol-delete $volume --pool life-pool
    guest life-v "<disk type='volume' device='disk'><driver name='qemu' type='raw'/><source pool='life-pool' volume='$volume'/><target dev='vda' bus='virtio'/></disk>"
    note run svirt start life-v
    note private label_of $disk
    note own label_in_xml life-v
    note wipe svirt vol-wipe $volume --pool life-pool
    modprobe sg
    IFS=: read -r adapter bus target lun <<END
$unit
END
    guest life-w "<controller type='scsi' model='virtio-scsi'/><hostdev mode='subsystem' type='scsi'><source><adapter name='scsi_host$adapter'/><address bus='$bus' target='$target' unit='$lun'/></source></hostdev>"
    note generic svirt start life-w
    svirt undefine life-w >/dev/null
    note audit svirt audit
    svirt destroy life-v >/dev/null
    note after label_of $disk
    svirt undefine life-v >/dev/null
    note wiped svirt vol-wipe $volume --pool life-pool
    note zeros cmp -n 1048576 $disk /dev/zero
    note destroy svirt pool-destroy life-pool
    end
  `);
  expect([noteOf(notes, "start").code, noteOf(notes, "start").err]).toEqual([0, ""]);
  expect(outOf(notes, "list")).toMatch(/unit:\d+:\d+:\d+ +\/dev\/sd[a-z]+/);
  // The identifier that the driver scsi_debug makes: NAA 3, or 5 before Linux 4.20.
  expect(outOf(notes, "key")).toMatch(/^3[35][0-9a-f]{15}$/);
  expect(outOf(notes, "xml")).toContain("<volume type='block'>");
  const sectors = Number(outOf(notes, "size"));
  expect(outOf(notes, "bytes")).toMatch(new RegExp(`Capacity:\\s+${sectors * 512} bytes`));
  expect([noteOf(notes, "upload").code, noteOf(notes, "upload").err]).toEqual([0, ""]);
  expect(noteOf(notes, "uploaded").code).toBe(0);
  expect(noteOf(notes, "delete").err).toContain("storage pool does not support vol deletion");
  expect([noteOf(notes, "run").code, noteOf(notes, "run").err]).toEqual([0, ""]);
  expect(outOf(notes, "private").split(":s0:")[1]).toBe(outOf(notes, "own").split(":s0:")[1] ?? "");
  expect(noteOf(notes, "wipe").code).toBe(5);
  expect([noteOf(notes, "generic").code, noteOf(notes, "generic").err]).toEqual([
    5,
    expect.stringContaining("the guest life-v uses its disk /dev/sd"),
  ]);
  expect(noteOf(notes, "audit").code).toBe(0);
  expect(outOf(notes, "after")).toBe(outOf(notes, "before"));
  expect([noteOf(notes, "wiped").code, noteOf(notes, "wiped").err]).toEqual([0, ""]);
  expect(noteOf(notes, "zeros").code).toBe(0);
  expect(noteOf(notes, "destroy").code).toBe(0);
});
