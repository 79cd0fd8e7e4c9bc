import { expect } from "bun:test";
import { qcow2Bytes } from "../images/qcow2-bytes.ts";
import { type Notes, noteOf, outOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";

const onTheNode = await onANode();

/**
 * Returns shell commands by which a guest's QEMU writes a qcow2 header that names a file into the guest's
 * disk of that number.
 */
function writeHeader(disk: number, backingFile: string): string {
  const bytes = qcow2Bytes({ backingFile, extensions: [[0xe2792aca, "raw"]] });
  return [...bytes].flatMap((byte, at) => (byte === 0 ? [] : [`write ${disk} ${byte} ${at}`])).join("\n");
}

function expectDone(notes: Notes, ...names: readonly string[]): void {
  for (const name of names)
    expect([name, noteOf(notes, name).err, noteOf(notes, name).code]).toEqual([name, "", 0]);
}

onTheNode(
  "a guest that writes headers of images into its raw disks keeps no command from its neighbours",
  async () => {
    const notes = await onNode(`
    clean
    pool=$here/pools/one
    svirt pool-define-as life-pool dir --target $pool >/dev/null
    svirt pool-start life-pool --build >/dev/null
    for name in a.raw b.raw n.raw; do svirt vol-create-as life-pool $name 2M --format raw >/dev/null; done
    svirt vol-create-as life-pool o.qcow2 2M --format qcow2 >/dev/null
    guest life-b "$(disk $pool/o.qcow2)"
    for name in s1 s2; do svirt snapshot-create-as life-b $name --disk-only >/dev/null; done
    guest life-a "$(disk $pool/a.raw)$(disk $pool/b.raw vdb)"
    note plan svirt plan life-a
    svirt start life-a >/dev/null
    write() { svirt qemu-monitor-command life-a --hmp "qemu-io -d /machine/peripheral/virtio-disk$1/virtio-backend \\"write -P $2 $3 1\\"" >/dev/null; }
    ${writeHeader(0, "n.raw")}
    ${writeHeader(1, "o.s1")}
    svirt destroy life-a >/dev/null
    note mark sh -c "/usr/bin/getfattr --only-values -n trusted.svirt.format --absolute-names $pool/a.raw"
    svirt undefine life-a >/dev/null
    note header sh -c "head -c 4 $pool/a.raw | od -An -tx1"
    note list svirt vol-list life-pool --details
    note xml svirt vol-dumpxml a.raw --pool life-pool
    note delete-snapshot svirt snapshot-delete life-b s2
    head -c 4096 /dev/urandom >$here/data
    note upload svirt vol-upload n.raw $here/data --pool life-pool
    note grow svirt vol-resize n.raw 4M --pool life-pool
    note wipe svirt vol-wipe n.raw --pool life-pool
    note delete svirt vol-delete n.raw --pool life-pool
    cp $pool/a.raw $here/before
    note resize svirt vol-resize a.raw 8M --pool life-pool
    note size stat -c %s $pool/a.raw
    note same sh -c "head -c 2097152 $pool/a.raw | cmp - $here/before"
    note clone svirt vol-clone a.raw c.raw --pool life-pool
    note cloned svirt vol-dumpxml c.raw --pool life-pool
    note again svirt start life-b
    svirt destroy life-b >/dev/null
    svirt undefine life-b --snapshots-metadata >/dev/null
    svirt pool-destroy life-pool >/dev/null
    svirt pool-undefine life-pool >/dev/null
    clean
  `);
    expect(outOf(notes, "plan")).toContain("a.raw as written by a guest in the format raw");
    expect(outOf(notes, "mark")).toBe("raw");
    expect(outOf(notes, "header").trim()).toBe("51 46 49 fb");
    // The header says 1 MiB.
    for (const name of ["a.raw", "b.raw"])
      expect(outOf(notes, "list")).toMatch(new RegExp(`^ ${name} .* 2\\.00 MiB `, "m"));
    expect(outOf(notes, "xml")).toContain("<format type='raw'/>");
    expect(outOf(notes, "xml")).not.toContain("backingStore");
    expectDone(
      notes,
      "delete-snapshot",
      "upload",
      "grow",
      "wipe",
      "delete",
      "resize",
      "same",
      "clone",
      "again",
    );
    expect(outOf(notes, "size")).toBe(String(8 * 1024 * 1024));
    expect(outOf(notes, "cloned")).toContain("<format type='raw'/>");
  },
  { timeoutMs: 600_000 },
);

onTheNode("an image that the operator puts into a pool has the format of its header", async () => {
  const notes = await onNode(`
    clean
    pool=$here/pools/one
    svirt pool-define-as life-pool dir --target $pool >/dev/null
    svirt pool-start life-pool --build >/dev/null
    svirt vol-create-as life-pool base.raw 2M --format raw >/dev/null
    qemu-img create -q -f qcow2 -b base.raw -F raw $pool/cloud.qcow2
    note xml svirt vol-dumpxml cloud.qcow2 --pool life-pool
    note needed svirt vol-delete base.raw --pool life-pool
    setfattr -n trusted.svirt.format -v raw $pool/cloud.qcow2
    note raw svirt vol-dumpxml cloud.qcow2 --pool life-pool
    note delete svirt vol-delete base.raw --pool life-pool
    svirt pool-destroy life-pool >/dev/null
    svirt pool-undefine life-pool >/dev/null
    clean
  `);
  expect(outOf(notes, "xml")).toContain("<format type='qcow2'/>");
  expect(noteOf(notes, "needed").code).not.toBe(0);
  expect(noteOf(notes, "needed").err).toContain("cloud.qcow2 needs it");
  expect(outOf(notes, "raw")).toContain("<format type='raw'/>");
  expect(noteOf(notes, "delete")).toMatchObject({ code: 0, err: "" });
});
