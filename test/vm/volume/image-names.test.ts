import { expect, test } from "bun:test";
import { deleteVolume } from "../../../src/vm/volume/delete-volume.ts";
import { vmdkBytes, vpcBytes } from "../../images/foreign-bytes.ts";
import { luksBytes } from "../../images/luks-bytes.ts";
import { qcow2Bytes } from "../../images/qcow2-bytes.ts";
import { errorOf, nodeOn } from "../../scenes/scene.ts";
import { IMAGES, makePoolMachine } from "../../scenes/volumes.ts";

/**
 * Returns a qcow2 image with clusters of 2 MiB that has its backing file's name at the offset, as QEMU
 * allows: qcow2_do_open() of block/qcow2.c.
 */
function imageWithNameAt(at: number, backingFile: string): Uint8Array {
  const name = new TextEncoder().encode(backingFile);
  const bytes = new Uint8Array(at + name.length);
  bytes.set(qcow2Bytes({}));
  const view = new DataView(bytes.buffer);
  view.setBigUint64(8, BigInt(at));
  view.setUint32(16, name.length);
  view.setUint32(20, 21);
  bytes.set(name, at);
  return bytes;
}

test.each([1_000_000, 2 ** 21])(
  "a volume is not deleted while an image has its name at byte %d, behind the headers that svirt reads",
  async (at) => {
    const machine = makePoolMachine();
    machine.files.put(`${IMAGES}/far`, "file", { bytes: imageWithNameAt(at, "private1.raw") });
    const deleted = deleteVolume(nodeOn(machine), { key: "private1.raw", pool: "images" });
    const { kind, message } = await errorOf(deleted);
    expect([kind, message]).toEqual(["in-use", expect.stringContaining(`the volume ${IMAGES}/far needs it`)]);
  },
);

const MIB = 1024 * 1024;

function textBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Returns an image of VMware, in whose descriptor one line is another. */
function vmdkWith(old: string, line: string): Uint8Array {
  const text = new TextDecoder("latin1").decode(vmdkBytes(MIB));
  return Uint8Array.from(text.replace(old, line), (letter) => letter.charCodeAt(0));
}

/** Returns a VHD image of a type that has the name of a parent. */
function vhdWith(type: number, parent: string): Uint8Array {
  return vpcBytes(MIB, { parent, type });
}

/** Deletes a volume beside an image, and returns the kind of the refusal. */
async function deletedBeside(bytes: Uint8Array, name: string): Promise<string> {
  const machine = makePoolMachine();
  machine.files.put(`${IMAGES}/${name}`, "file", { bytes: new Uint8Array(512) });
  machine.files.put(`${IMAGES}/other`, "file", { bytes });
  const deleted = deleteVolume(nodeOn(machine), { key: name, pool: "images" });
  return await deleted.then(
    () => "deleted",
    ({ kind }) => kind,
  );
}

test.each([
  ["the key of a LUKS volume", new Uint8Array([...luksBytes(), ...textBytes("a0 vm1")]), "vm1"],
  ["the cipher of a LUKS volume", luksBytes(), "aes"],
  ["the header of vpc", vpcBytes(MIB), "cxsparse"],
  ["vpc without a parent", vhdWith(3, "vm1"), "vm1"],
  ["the adapter in vmdk", vmdkWith("", ""), "ide"],
  ["the comment of vmdk", vmdkWith("", ""), "Disk"],
  ["a part of an extent's name", vmdkWith("", ""), "own"],
])("a volume is deleted though %s has its name", async (_, bytes, name) => {
  expect(await deletedBeside(bytes, name)).toBe("deleted");
});

test.each([
  ["an extent of vmdk", vmdkWith("own.vmdk", "vm1-1.vmdk"), "vm1-1.vmdk"],
  ["an extent of vmdk in a folder", vmdkWith("own.vmdk", "/a/vm1-1.vmdk"), "vm1-1.vmdk"],
  ["vmdk as its parent", vmdkWith("CID=", 'parentFileNameHint="C:\\a\\vm1.vmdk"\nCID='), "vm1.vmdk"],
  ["a descriptor alone", textBytes('# Disk DescriptorFile\nRW 2048 FLAT "gäste" 0\n'), "gäste"],
  ["the header of an old vmdk", textBytes("COWD\0\0/a/vm1\0"), "vm1"],
  ["vpc as its parent", vhdWith(4, "vm1"), "vm1"],
  ["a format of which svirt knows nothing more", textBytes("vhdxfile vm1"), "vm1"],
])("a volume is not deleted while %s names it", async (_, bytes, name) => {
  expect(await deletedBeside(bytes, name)).toBe("in-use");
});
