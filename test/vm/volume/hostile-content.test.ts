// In turn: it takes seconds of a processor.
import { describe, expect, test } from "bun:test";
import { removeDefinition } from "../../../src/state/definitions.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { uploadVolume } from "../../../src/vm/volume/content/upload-volume.ts";
import { wipeVolume } from "../../../src/vm/volume/content/wipe-volume.ts";
import { cloneVolume, createVolumeFromVolume } from "../../../src/vm/volume/copy-volume.ts";
import { createVolumeFrom } from "../../../src/vm/volume/create-volume.ts";
import { deleteVolume } from "../../../src/vm/volume/delete-volume.ts";
import { listPoolVolumesWithSizes } from "../../../src/vm/volume/list-volumes.ts";
import { resizeVolume } from "../../../src/vm/volume/resize-volume.ts";
import { getVolumeXml } from "../../../src/vm/volume/volume-xml.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { DISK_BYTES, hostileHeaders } from "../../scenes/hostile-headers.ts";
import { diskXml, domainXml, nodeOn, reapAll } from "../../scenes/scene.ts";
import { remove, snapshotsOf, takeDisks } from "../../scenes/snapshots.ts";
import { IMAGES, makePoolMachine } from "../../scenes/volumes.ts";

const [OWN, NEIGHBOUR] = ["private2.raw", "private1.raw"];
const OWN_XML = diskXml(`${IMAGES}/${OWN}`, "vdb");
const PLAIN = { isReflink: false };
const POOL = "images";

/** Guests that may have written a raw disk: each returns once the header is in it. */
const GUESTS: readonly (readonly [string, (bytes: Uint8Array) => Promise<Machine>])[] = [
  [
    "that is gone, with its domain",
    async (bytes) => {
      const machine = makePoolMachine();
      await defineDomain(nodeOn(machine), domainXml({ disks: OWN_XML }));
      await startDomain(nodeOn(machine), domainXml({ disks: OWN_XML }));
      machine.files.get(`${IMAGES}/${OWN}`).bytes = bytes.slice();
      await destroyDomain(nodeOn(machine), "vm1");
      await reapAll(machine);
      removeDefinition(nodeOn(machine), "vm1");
      return machine;
    },
  ],
  [
    "of another tool, that svirt has defined and never started",
    async (bytes) => {
      const machine = makePoolMachine();
      machine.files.get(`${IMAGES}/${OWN}`).bytes = bytes.slice();
      await defineDomain(nodeOn(machine), domainXml({ disks: OWN_XML }));
      return machine;
    },
  ],
  [
    "of another tool, that has the disk as a volume of its pool",
    async (bytes) => {
      const machine = makePoolMachine();
      machine.files.get(`${IMAGES}/${OWN}`).bytes = bytes.slice();
      const disks = `<disk type='volume' device='disk'><source pool='${POOL}' volume='${OWN}'/><target dev='vdb'/></disk>`;
      await defineDomain(nodeOn(machine), domainXml({ disks }));
      return machine;
    },
  ],
];

describe.each(GUESTS)("a raw disk of a guest %s", (_, write) => {
  describe.each(hostileHeaders(NEIGHBOUR))("with %s in it", (__, bytes) => {
    test("is listed and shown as raw, with its file's size and no other file", async () => {
      const machine = await write(bytes);
      const listed = await listPoolVolumesWithSizes(nodeOn(machine), POOL);
      expect(listed.find(({ name }) => name === OWN)).toMatchObject({
        format: "raw",
        capacityBytes: DISK_BYTES,
      });
      const xml = await getVolumeXml(nodeOn(machine), OWN, POOL);
      expect(xml).toContain("<format type='raw'/>");
      expect(xml).not.toMatch(/backingStore|encryption|shadow/);
    });

    test("is resized as a raw one, and keeps its bytes", async () => {
      const machine = await write(bytes);
      const resize = { capacityBytes: 2 * DISK_BYTES, isDelta: false, isShrunk: false, isAllocated: false };
      await resizeVolume(nodeOn(machine), { key: OWN, pool: POOL }, resize);
      const now = machine.files.get(`${IMAGES}/${OWN}`).bytes;
      expect(now.length).toBe(2 * DISK_BYTES);
      expect(Buffer.compare(now.slice(0, DISK_BYTES), bytes)).toBe(0);
    });

    test("is cloned and converted byte by byte, and its clone is raw too", async () => {
      const machine = await write(bytes);
      const source = { key: OWN, pool: POOL };
      await cloneVolume(nodeOn(machine), "clone", { source, flags: PLAIN });
      expect(machine.files.get(`${IMAGES}/clone`).bytes).toEqual(bytes);
      expect(await getVolumeXml(nodeOn(machine), "clone", POOL)).toContain("<format type='raw'/>");
      await createVolumeFromVolume(nodeOn(machine), POOL, {
        bytes: new TextEncoder().encode(
          "<volume><name>made</name><target><format type='qcow2'/></target></volume>",
        ),
        source,
        flags: PLAIN,
      });
      const xml = await getVolumeXml(nodeOn(machine), "made", POOL);
      expect(xml).toContain(`<capacity unit='bytes'>${DISK_BYTES}</capacity>`);
      await deleteVolume(nodeOn(machine), { key: NEIGHBOUR, pool: POOL });
    });

    test("has its whole size for a volume above it", async () => {
      const machine = await write(bytes);
      const xml = `<volume><name>above</name><target><format type='qcow2'/></target><backingStore><path>${IMAGES}/${OWN}</path><format type='raw'/></backingStore></volume>`;
      await createVolumeFrom(nodeOn(machine), POOL, { bytes: new TextEncoder().encode(xml), flags: {} });
      expect(await getVolumeXml(nodeOn(machine), "above", POOL)).toContain(
        `<capacity unit='bytes'>${DISK_BYTES}</capacity>`,
      );
    });

    test("keeps no command from the neighbour's volume", async () => {
      const machine = await write(bytes);
      const volume = { key: NEIGHBOUR, pool: POOL };
      machine.files.put("/var/lib/in", "file", { bytes: new Uint8Array([1]) });
      const part = { offset: 0, mostBytes: undefined, isSparse: false };
      await uploadVolume(nodeOn(machine), volume, { file: "/var/lib/in", part });
      await wipeVolume(nodeOn(machine), volume, "zero");
      await deleteVolume(nodeOn(machine), volume);
      expect(machine.files.find(`${IMAGES}/${NEIGHBOUR}`)).toBeUndefined();
    });
  });
});

describe.each(hostileHeaders(`${IMAGES}/top.s1`))("a raw disk with %s in it", (_, bytes) => {
  test("keeps the neighbour's snapshots from nothing", async () => {
    const machine = makePoolMachine();
    const uuid = "22222222-2222-4333-8444-000000000002";
    const xml = domainXml({ name: "vm2", uuid, disks: OWN_XML });
    await defineDomain(nodeOn(machine), xml);
    await startDomain(nodeOn(machine), xml);
    machine.files.get(`${IMAGES}/${OWN}`).bytes = bytes.slice();
    await snapshotsOf(machine, {});
    await startDomain(
      nodeOn(machine),
      domainXml({ disks: diskXml(`${IMAGES}/top.s2`, "vda").replace("'raw'", "'qcow2'") }),
    );
    await takeDisks(nodeOn(machine), "s3");
    await remove("s3")(nodeOn(machine));
    await remove("s2")(nodeOn(machine));
    expect(machine.files.find(`${IMAGES}/top.s2`)).toBeUndefined();
    expect(machine.violations).toEqual([]);
  });
});
