import { describe, expect, test } from "bun:test";
import { formatNewImage } from "../../../src/images/new-qcow2.ts";
import { downloadVolume } from "../../../src/vm/volume/content/download-volume.ts";
import { uploadVolume } from "../../../src/vm/volume/content/upload-volume.ts";
import { wipeVolume } from "../../../src/vm/volume/content/wipe-volume.ts";
import { cloneVolume, createVolumeFromVolume } from "../../../src/vm/volume/copy-volume.ts";
import { createVolume } from "../../../src/vm/volume/create-volume.ts";
import { deleteVolume } from "../../../src/vm/volume/delete-volume.ts";
import { listPoolVolumesWithSizes } from "../../../src/vm/volume/list-volumes.ts";
import { resizeVolume } from "../../../src/vm/volume/resize-volume.ts";
import { showVolume } from "../../../src/vm/volume/show-volume.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { sampleOf } from "../../sample.ts";
import { nodeOn } from "../../scenes/scene.ts";
import { beStruck, instantsOf, type Work } from "../../scenes/strikes.ts";
import { IMAGES, makePoolMachine, volumeWith } from "../../scenes/volumes.ts";

const LABEL = "system_u:object_r:virt_content_t:s0";
const PERMISSIONS = `<permissions><mode>0640</mode><owner>107</owner><label>${LABEL}</label></permissions>`;
const BELOW = `<backingStore><path>${IMAGES}/private1.raw</path></backingStore>`;

const PRIVATE = { key: "private2.raw", pool: "images" };
const WHOLE = { offset: 0, mostBytes: undefined, isSparse: false };

const CASES: readonly { readonly name: string; readonly work: Work }[] = [
  {
    name: "vol-create of a raw volume",
    work: (node) => createVolume(node, IMAGES, { volume: volumeWith(PERMISSIONS) }),
  },
  {
    name: "vol-create above another volume",
    work: (node) =>
      createVolume(node, IMAGES, { volume: volumeWith(`<format type='qcow2'/>${PERMISSIONS}`, BELOW) }),
  },
  {
    name: "vol-clone",
    work: (node) =>
      cloneVolume(node, "new.img", {
        source: { key: "private1.raw", pool: "images" },
        flags: { isReflink: false },
      }),
  },
  {
    name: "vol-create-from that converts",
    work: (node) =>
      createVolumeFromVolume(node, "images", {
        bytes: new TextEncoder().encode(
          `<volume><name>new.img</name><target><format type='qcow2'/>${PERMISSIONS}</target></volume>`,
        ),
        source: { key: "private1.raw", pool: "images" },
        flags: { isReflink: false },
      }),
  },
  {
    name: "vol-resize",
    work: (node) =>
      resizeVolume(
        node,
        { key: "private2.raw", pool: "images" },
        { capacityBytes: 8192, isDelta: false, isShrunk: false, isAllocated: false },
      ),
  },
  {
    name: "vol-resize of a qcow2 volume",
    work: (node) =>
      resizeVolume(
        node,
        { key: "q.qcow2", pool: "images" },
        { capacityBytes: 2 ** 40, isDelta: false, isShrunk: false, isAllocated: false },
      ),
  },
  {
    name: "vol-upload",
    work: (node) => uploadVolume(node, PRIVATE, { file: `${IMAGES}/private1.raw`, part: WHOLE }),
  },
  {
    name: "vol-download",
    work: (node) => downloadVolume(node, PRIVATE, { file: `${IMAGES}/out.img`, part: WHOLE }),
  },
  { name: "vol-wipe", work: (node) => wipeVolume(node, PRIVATE, "zero") },
  { name: "vol-delete", work: (node) => deleteVolume(node, { key: "private2.raw", pool: "images" }) },
];

/** Returns a machine with a pool and a qcow2 volume in it. */
function prepare(): Machine {
  const machine = makePoolMachine();
  const bytes = formatNewImage({ format: "qcow2", sizeBytes: 2 ** 20 });
  machine.files.put(`${IMAGES}/q.qcow2`, "file", { mode: 0o600, bytes });
  return machine;
}

/** Returns all that commands show of the volumes. */
async function stateOf(machine: Machine): Promise<string> {
  const node = nodeOn(machine);
  const volumes = await listPoolVolumesWithSizes(node, "images");
  return JSON.stringify(volumes.map((volume) => [volume, showVolume(node, volume.path).target]));
}

describe.each(CASES)(
  "$name struck before, within and after every call that changes something",
  ({ work }) => {
    test.each(["crash", "fail"] as const)(
      "by a %s has been done or not, and the next one leaves no rest",
      async (how) => {
        const before = await stateOf(prepare());
        const whole = prepare();
        await work(nodeOn(whole));
        const done = await stateOf(whole);
        const instants = await instantsOf(async () => prepare(), work);
        expect(instants.length).toBeGreaterThan(5);
        for (const strike of sampleOf(instants)) {
          const machine = prepare();
          await beStruck(machine, work, { ...strike, how });
          const after = await stateOf(machine);
          expect([before, done]).toContain(after);
          if (after === before) await work(nodeOn(machine));
          else
            await createVolume(nodeOn(machine), IMAGES, { volume: { ...volumeWith(""), name: "other.img" } });
          const left = [...machine.files.get(IMAGES).entries.keys()].filter((name) =>
            name.startsWith(".svirt-"),
          );
          expect(left).toEqual([]);
          if (after === before) expect(await stateOf(machine)).toBe(done);
        }
      },
    );
  },
);
