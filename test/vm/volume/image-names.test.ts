import { expect, test } from "bun:test";
import { deleteVolume } from "../../../src/vm/volume/delete-volume.ts";
import { qcow2Bytes } from "../../images/qcow2-bytes.ts";
import { errorOf, nodeOn } from "../../scenes/scene.ts";
import { IMAGES, makePoolMachine } from "../../scenes/volumes.ts";

/** Returns a qcow2 image with clusters of 2 MiB that has its backing file's name at the offset, as QEMU allows: qcow2_do_open() of block/qcow2.c. */
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
