import { describe, expect, test } from "bun:test";
import type { SvirtError } from "../../../src/errors.ts";
import { auditNode } from "../../../src/vm/audit/audit-node.ts";
import { definePool } from "../../../src/vm/pool/define-pool.ts";
import { startPool } from "../../../src/vm/pool/start-pool.ts";
import { recoverAll } from "../../../src/vm/recover/recover.ts";
import { cloneVolume } from "../../../src/vm/volume/copy-volume.ts";
import { createVolumeFrom } from "../../../src/vm/volume/create-volume.ts";
import { deleteVolume } from "../../../src/vm/volume/delete-volume.ts";
import { listPoolVolumesWithSizes } from "../../../src/vm/volume/list-volumes.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { sampleOf } from "../../sample.ts";
import { makeScsiMachine } from "../../scenes/devices.ts";
import { MemoryLvm } from "../../scenes/lvm.ts";
import { otherPoolXml } from "../../scenes/pools.ts";
import { nodeOn } from "../../scenes/scene.ts";
import { beStruck, instantsOf, type Work } from "../../scenes/strikes.ts";

const MiB = 1024 * 1024;

/** Returns work that makes a volume of 4 MiB with the content. */
const create =
  (name: string, content = ""): Work =>
  (node) =>
    createVolumeFrom(node, "lv", {
      bytes: new TextEncoder().encode(
        `<volume><name>${name}</name><capacity unit='MiB'>4</capacity>${content}</volume>`,
      ),
      flags: {},
    });
const remove =
  (key: string): Work =>
  (node) =>
    deleteVolume(node, { key, pool: "lv" });

const clone: Work = (node) =>
  cloneVolume(node, "new", { source: { key: "one", pool: "lv" }, flags: { isReflink: false } });

const CASES: readonly { readonly name: string; readonly made: string | undefined; readonly work: Work }[] = [
  {
    name: "vol-create",
    made: "new",
    work: create("new", "<target><permissions><mode>0640</mode><owner>7</owner></permissions></target>"),
  },
  {
    name: "vol-create of a snapshot",
    made: "new",
    work: create("new", "<backingStore><path>/dev/vg/one</path></backingStore>"),
  },
  {
    name: "vol-clone",
    made: "new",
    work: clone,
  },
  { name: "vol-delete", made: undefined, work: remove("one") },
];

/** Returns a machine with the active pool `lv`, and data in its volume one. */
async function prepare(): Promise<Machine> {
  const machine = makeScsiMachine();
  new MemoryLvm(machine, 68 * MiB);
  const node = nodeOn(machine);
  const source = "<source><device path='/dev/sdb'/><name>vg</name></source>";
  await definePool(node, otherPoolXml("logical", source, "lv"));
  await startPool(node, "lv", { isBuilt: true });
  await create("one")(node);
  machine.files.get("/dev/vg/one").bytes.fill(1, 0, MiB);
  return machine;
}

/** Returns the volumes of the pool as they are listed, with their content and owners. */
async function stateOf(machine: Machine): Promise<string> {
  const volumes = await listPoolVolumesWithSizes(nodeOn(machine), "lv");
  return JSON.stringify(
    volumes.map((volume) => {
      const { bytes, mode, uid } = machine.files.get(volume.path);
      return [volume, uid, mode, String(Bun.hash(bytes))];
    }),
  );
}

/** Whether the volumes that were there keep their data, and a copy is whole or not there. */
async function isWhole(
  machine: Machine,
  { done, isCopy, kept }: { readonly done: string; readonly kept: string; readonly isCopy: boolean },
): Promise<boolean> {
  const state = await stateOf(machine);
  return isCopy ? [kept, done].includes(state) : state.includes(kept.slice(1, -1));
}

describe.each(CASES)(
  "$name of a logical volume struck at every call that changes something",
  ({ made, name, work }) => {
    test.each(["crash", "fail"] as const)(
      "by a %s is done when it is repeated, if need be after the removal of what it made",
      async (how) => {
        const isCopy = name === "vol-clone";
        const whole = await prepare();
        await work(nodeOn(whole));
        const done = await stateOf(whole);
        const instants = await instantsOf(prepare, work);
        expect(instants.length).toBeGreaterThan(3);
        for (const strike of sampleOf(instants)) {
          const machine = await prepare();
          const kept = await stateOf(machine);
          await beStruck(machine, work, { ...strike, how });
          const place = `${strike.moment} call ${strike.at}`;
          if (made !== undefined)
            expect([place, await isWhole(machine, { kept, done, isCopy })]).toEqual([place, true]);
          const error: SvirtError | undefined = await work(nodeOn(machine)).then(
            () => undefined,
            (thrown) => thrown,
          );
          if (error !== undefined && made !== undefined) {
            expect([place, error.libvirt?.name]).toEqual([place, "VIR_ERR_STORAGE_VOL_EXIST"]);
            await remove(made)(nodeOn(machine));
            await work(nodeOn(machine));
          } else if (error !== undefined) expect([place, error.kind]).toEqual([place, "not-found"]);
          expect([place, await stateOf(machine)]).toEqual([place, done]);
          expect([place, machine.violations]).toEqual([place, []]);
        }
      },
    );
  },
);

/** Lists the volumes that have no data yet. */
function partsOf(machine: Machine): readonly string[] {
  return [...machine.files.walk()]
    .map(({ path }) => path)
    .filter((path) => path.startsWith("/dev/vg/.svirt-"));
}

test("a copy to a logical volume, killed at each call, leaves no volume that the audit does not name and svirt recover does not remove", async () => {
  const named = new Set<number>();
  for (const strike of await instantsOf(prepare, clone)) {
    const machine = await prepare();
    await beStruck(machine, clone, strike);
    const parts = partsOf(machine);
    const { findings } = await auditNode(nodeOn(machine));
    const line = (path: string) =>
      `${path}: is a part of a volume that a killed svirt has left; run svirt recover`;
    expect([strike, findings]).toEqual([strike, parts.map(line)]);
    const { errors } = await recoverAll(nodeOn(machine));
    expect([strike, errors, partsOf(machine)]).toEqual([strike, [], []]);
    named.add(parts.length);
  }
  expect([...named].toSorted()).toEqual([0, 1]);
});

test("the audit does not name a logical volume that another svirt still fills, and svirt recover leaves it", async () => {
  const machine = await prepare();
  const other = nodeOn(machine);
  const seen: unknown[] = [];
  const { copyToDevice } = other.host;
  const host = {
    ...other.host,
    copyToDevice: async (...call: Parameters<typeof copyToDevice>) => {
      const { findings } = await auditNode(nodeOn(machine));
      const { errors } = await recoverAll(nodeOn(machine));
      seen.push(findings, errors, partsOf(machine).length);
      await copyToDevice(...call);
    },
  };
  await clone({ ...other, host });
  expect(seen).toEqual([[], [], 1]);
});
