import { buildPool } from "../../../src/vm/pool/build-pool.ts";
import { definePool } from "../../../src/vm/pool/define-pool.ts";
import { destroyPool, startPool } from "../../../src/vm/pool/start-pool.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { ISCSI_POOL, makeScsiMachine } from "../../scenes/devices.ts";
import { makeTargetMachine } from "../../scenes/iscsi.ts";
import { MemoryLvm } from "../../scenes/lvm.ts";
import { otherPoolXml } from "../../scenes/pools.ts";
import { nodeOn, putText } from "../../scenes/scene.ts";
import { IMAGES, makePoolMachine } from "../../scenes/volumes.ts";
import type { Scene } from "./strike-command.ts";

const MiB = 1024 * 1024;
const GROUP_POOL = "<source><device path='/dev/sdb'/><name>vg</name></source>";
const NOT_BUILT = { isBuilt: false };
const XML_FILE = "/srv/other.xml";

const lvms = new WeakMap<Machine, MemoryLvm>();

async function withTarget(): Promise<Machine> {
  const machine = await makeTargetMachine();
  putText(machine, XML_FILE, new TextDecoder().decode(otherPoolXml("iscsi", ISCSI_POOL)));
  return machine;
}

/** Returns a machine on which the pool `other` is started. */
async function withStarted(prepare: () => Promise<Machine>): Promise<Machine> {
  const machine = await prepare();
  await startPool(nodeOn(machine), "other", NOT_BUILT);
  return machine;
}

/** A machine with the pool `other` of the group vg, which is to be built. */
async function withDisk(): Promise<Machine> {
  const machine = makeScsiMachine();
  lvms.set(machine, new MemoryLvm(machine, 68 * MiB));
  await definePool(nodeOn(machine), otherPoolXml("logical", GROUP_POOL));
  return machine;
}

async function withEmptyGroup(): Promise<Machine> {
  const machine = await withDisk();
  await buildPool(nodeOn(machine), "other");
  return machine;
}

async function withGroup(): Promise<Machine> {
  const machine = await withEmptyGroup();
  lvms.get(machine)?.addVolume("vg", { name: "one", sizeBytes: 8 * MiB });
  return machine;
}

/** A machine whose pool was destroyed once, so that both of its states are known to LVM. */
async function withEndedGroup(): Promise<Machine> {
  const machine = await withStarted(withGroup);
  await destroyPool(nodeOn(machine), "other");
  return machine;
}

/** What LVM has on the disks. */
function look(machine: Machine): readonly string[] {
  const { groups, physical } = lvms.get(machine) ?? {};
  return [`groups ${[...(groups?.keys() ?? [])]}`, `physical ${[...(physical ?? [])].join(" ")}`];
}

async function withVolume(): Promise<Machine> {
  const machine = makePoolMachine();
  machine.files.put(`${IMAGES}/one.raw`, "file", { mode: 0o600, bytes: new Uint8Array(4096).fill(1) });
  machine.files.putFolder("/srv", 0o755);
  machine.files.put("/srv/content", "file", { mode: 0o644, bytes: new Uint8Array(4096).fill(7) });
  return machine;
}

const START = ["pool-start", "other"] as const;
const END = ["pool-destroy", "other"] as const;
const OF_VOLUME = { object: `${IMAGES}/one.raw` } as const;

/** Scenes of work that a note names. Its command or the opposite one ends it. */
export const LEFT_SCENES: Readonly<Record<string, readonly Scene[]>> = {
  "pool-start": [
    {
      name: "of an iSCSI target",
      prepare: withTarget,
      words: START,
      left: { object: "other", opposite: END, isExact: true },
    },
    {
      name: "of a volume group",
      prepare: withEndedGroup,
      words: START,
      left: { object: "other", opposite: END, isExact: true, look },
    },
    {
      name: "of a volume group with a build",
      prepare: withDisk,
      words: [...START, "--build"],
      left: { object: "other", look },
    },
  ],
  "pool-create": [
    {
      name: "of an iSCSI target",
      prepare: withTarget,
      words: ["pool-create", XML_FILE],
      left: { object: "other", opposite: END, isExact: true },
    },
  ],
  "pool-destroy": [
    {
      name: "of an iSCSI target",
      prepare: () => withStarted(withTarget),
      words: END,
      left: { object: "other", opposite: START, isExact: true },
    },
    {
      name: "of a volume group",
      prepare: () => withStarted(withGroup),
      words: END,
      left: { object: "other", opposite: START, isExact: true, look },
    },
  ],
  "pool-build": [
    {
      name: "of a volume group",
      prepare: withDisk,
      words: ["pool-build", "other"],
      left: { object: "other", look },
    },
  ],
  "pool-delete": [
    {
      name: "of a volume group",
      prepare: withEmptyGroup,
      words: ["pool-delete", "other"],
      left: { object: "other", look },
    },
  ],
  "vol-upload": [
    {
      prepare: withVolume,
      words: ["vol-upload", "one.raw", "/srv/content", "--pool", "images"],
      left: OF_VOLUME,
    },
    {
      name: "of a part",
      prepare: withVolume,
      words: ["vol-upload", "one.raw", "/srv/content", "--pool", "images", "--offset", "512"],
      left: OF_VOLUME,
    },
  ],
  "vol-wipe": [{ prepare: withVolume, words: ["vol-wipe", "one.raw", "--pool", "images"], left: OF_VOLUME }],
};
