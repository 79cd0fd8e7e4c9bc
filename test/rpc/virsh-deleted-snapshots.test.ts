import { describe, expect } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { testInTurn } from "../sample.ts";
import { lackOf, makeFolder, onNewNode, type Said, TEST_MS } from "./client-node.ts";

const inTurn = testInTurn(3);

const UUID = crypto.randomUUID();
const ASIDE = lackOf(["virsh", "qemu-img", "qemu-io"]);
const folder = makeFolder();

const disk = (name: string, target: string): string =>
  `<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${folder}/${name}.qcow2'/>
  <target dev='${target}' bus='virtio'/></disk>`;

writeFileSync(
  join(folder, "vm1.xml"),
  `<domain type='qemu'><name>vm1</name><uuid>${UUID}</uuid><memory unit='MiB'>64</memory><vcpu>1</vcpu>
  <os><type>hvm</type></os><devices>${disk("base", "vda")}${disk("more", "vdb")}</devices>
  <seclabel type='none'/></domain>`,
);
const NEW = ["base", "more"].map((name) => `rm -f ${name}.*; qemu-img create -q -f qcow2 ${name}.qcow2 4M`);
const DEFINE = `${NEW.join("; ")}; virsh define vm1.xml`;
const IMAGES = "ls base.* more.*; ! ls .svirt* 2>&1 | grep -v 'No such'";

/** Writes a byte over the block of 64 KiB with that number. */
const write = (image: string, byte: number, block: number): string =>
  `qemu-io -c 'write -P ${byte} ${block * 64}k 64k' ${image} | head -1`;
/** Reads each block that the lines before have written; an error ends in a text. */
const read = (image: string): string =>
  [1, 2, 3].map((byte) => `qemu-io -c 'read -P ${byte} ${byte * 64}k 64k' ${image}`).join("; ");
const WHOLE = expect.not.stringContaining("Pattern verification failed");

/** Returns what each call says. All calls must succeed. */
function outOf(said: readonly Said[]): string[] {
  expect(said.map(({ code, err }) => [code, err])).toEqual(said.map(() => [0, ""]));
  return said.map(({ out }) => out);
}

const TAKE = ["s1", "s2"].flatMap((name, at) => [
  `virsh snapshot-create-as vm1 ${name} --disk-only`,
  `${write(`base.${name}`, at + 2, at + 2)}; ${write(`more.${name}`, at + 2, at + 2)}`,
]);
const FILL = `${write("base.qcow2", 1, 1)}; ${write("more.qcow2", 1, 1)}`;

describe.skipIf(ASIDE !== "")(`stock virsh and deleted snapshots of svirt${ASIDE}`, () => {
  inTurn(
    "merges the overlays of a guest that is off, from the middle and from the top, with all data",
    () => {
      const said = outOf(
        onNewNode(folder, [
          ...[DEFINE, FILL, ...TAKE, "virsh snapshot-delete vm1 s1", IMAGES],
          ...["qemu-img info base.s2 | grep '^backing file:'", "virsh snapshot-dumpxml vm1 s2"],
          ...["virsh domstate vm1", read("base.s2"), "virsh snapshot-delete vm1 s2", IMAGES],
          ...[
            "virsh domblklist vm1",
            "virsh snapshot-list vm1 --name",
            read("base.qcow2"),
            read("more.qcow2"),
          ],
          ...[
            "qemu-img check -q base.qcow2 && qemu-img check -q more.qcow2 && echo whole",
            "virsh start vm1",
          ],
          "virsh destroy vm1; virsh undefine vm1",
        ]),
      );
      const [deleted, images, backing, xml, state, data, last, rest, blocks, none, base, more, checked] =
        said.slice(6);
      expect([deleted, last]).toEqual(["Domain snapshot s1 deleted", "Domain snapshot s2 deleted"]);
      expect(images).toBe("base.qcow2\nbase.s2\nmore.qcow2\nmore.s2");
      expect(backing).toBe(`backing file: ${folder}/base.qcow2`);
      expect(xml).toContain(`<source file='${folder}/base.qcow2'/>`);
      expect(xml).not.toContain("base.s1");
      expect(xml).not.toContain("<parent>");
      expect([state, rest, none]).toEqual(["shut off", "base.qcow2\nmore.qcow2", ""]);
      expect(blocks).toContain(`${folder}/base.qcow2`);
      expect([data, base, more]).toEqual([WHOLE, WHOLE, WHOLE]);
      expect(checked).toBe("whole");
    },
    TEST_MS,
  );

  inTurn(
    "merges the overlays of a running guest, which goes on with the images below",
    () => {
      const said = outOf(
        onNewNode(folder, [
          ...[DEFINE, FILL, ...TAKE, "virsh start vm1"],
          ...["virsh snapshot-create-as vm1 s3 --disk-only", "virsh snapshot-delete vm1 s2", IMAGES],
          ...["virsh snapshot-delete vm1 s3", "virsh domblklist vm1", IMAGES],
          ...["virsh snapshot-delete vm1 s1", "virsh domblklist vm1", IMAGES, "virsh domstate vm1"],
          ...["virsh snapshot-list vm1 --name", "virsh destroy vm1", read("base.qcow2"), read("more.qcow2")],
          "virsh undefine vm1",
        ]),
      );
      const [, , middle, , blocks, top, , now, rest, state, none, , base, more] = said.slice(7);
      expect(middle).toBe("base.qcow2\nbase.s1\nbase.s3\nmore.qcow2\nmore.s1\nmore.s3");
      expect([blocks, now]).toEqual([
        expect.stringContaining(`${folder}/base.s1`),
        expect.stringContaining(`${folder}/base.qcow2`),
      ]);
      expect([top, rest]).toEqual(["base.qcow2\nbase.s1\nmore.qcow2\nmore.s1", "base.qcow2\nmore.qcow2"]);
      expect([state, none, base, more]).toEqual(["running", "", WHOLE, WHOLE]);
    },
    TEST_MS,
  );

  inTurn(
    "refuses in libvirt's words, and changes nothing",
    () => {
      const said = onNewNode(folder, [
        ...[DEFINE, FILL, ...TAKE, "sha256sum base.* more.*"],
        ...["virsh snapshot-delete vm1 s1 --children", "virsh snapshot-delete vm1 s2 --children"],
        ...["virsh snapshot-revert vm1 s1", "virsh snapshot-delete vm1 s1", "virsh snapshot-delete vm1 s2"],
        ...["virsh snapshot-list vm1 --name", "sha256sum base.s? more.s? base.qcow2 more.qcow2 | sort"],
        "virsh undefine vm1 --snapshots-metadata",
      ]);
      const [sums, ...calls] = said.slice(6);
      const errors = calls.map(({ err }) => err.split("\n").at(-1));
      expect(errors).toEqual([
        "error: unsupported configuration: deletion of external children disk snapshots not supported",
        "error: unsupported configuration: deletion of external disk snapshots with children not supported",
        expect.anything(),
        "error: unsupported configuration: deletion of active external snapshot that is not a leaf snapshot is not supported",
        "error: Operation not supported: svirt does not remove the images of a snapshot that is not in the active chain: s2",
        ...["", "", ""],
      ]);
      expect(calls[5]?.out).toBe("s1\ns2");
      expect(calls[6]?.out.split("\n").sort()).toEqual(sums?.out.split("\n").sort());
    },
    TEST_MS,
  );
});
