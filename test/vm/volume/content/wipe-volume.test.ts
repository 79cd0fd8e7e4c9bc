import { describe, expect, test } from "bun:test";
import { defineDomain } from "../../../../src/vm/define/define.ts";
import { startDomain } from "../../../../src/vm/start/start.ts";
import { runOn } from "../../../cli/in-memory.ts";
import { type Machine, snapshot } from "../../../memory-host/machine.ts";
import { diskXml, domainXml, labelOf, nodeOn, ORIGINAL } from "../../../scenes/scene.ts";
import { IMAGES, makePoolMachine } from "../../../scenes/volumes.ts";

const wipe = (machine: Machine, key: string, ...words: readonly string[]) =>
  runOn(machine, "vol-wipe", key, "--pool", "images", ...words);

/** Expects a refusal after which the machine is as it was. Returns its exit code and message. */
async function refusal(machine: Machine, key: string, ...words: readonly string[]) {
  const before = snapshot(machine);
  const { code, err } = await wipe(machine, key, ...words);
  expect(snapshot(machine)).toEqual(before);
  return [code, err.split("\n")[0]];
}

describe("svirt vol-wipe", () => {
  test.each([[], ["--algorithm", "zero"], ["--algorithm", "trim"]])(
    "makes all bytes zero: %s %s",
    async (...words) => {
      const machine = makePoolMachine();
      const volume = machine.files.get(`${IMAGES}/private1.raw`);
      [volume.mode, volume.uid, volume.gid] = [0o640, 107, 36];
      volume.bytes.fill(1);
      expect(await wipe(machine, "private1.raw", ...words)).toEqual({
        code: 0,
        out: "Vol private1.raw wiped\n\n",
        err: "",
      });
      const { bytes, gid, mode, uid } = machine.files.get(`${IMAGES}/private1.raw`);
      expect([bytes, mode, uid, gid]).toEqual([new Uint8Array(4096), 0o640, 107, 36]);
      expect(labelOf(machine, `${IMAGES}/private1.raw`)).toBe(ORIGINAL);
    },
  );

  test.each([
    [[], ""],
    [["--algorithm", "trim"], ", and free its disk space"],
  ] as const)("has its step printed by svirt plan, which changes nothing: %s", async (words, freed) => {
    const machine = makePoolMachine();
    const before = snapshot(machine);
    expect(await runOn(machine, "plan", "vol-wipe", "private1.raw", "--pool", "images", ...words)).toEqual({
      code: 0,
      out: `  1  overwrite ${IMAGES}/private1.raw with zeros${freed}\n`,
      err: "",
    });
    expect(snapshot(machine)).toEqual(before);
  });

  test("makes a qcow2 image a raw file, as libvirt does", async () => {
    const machine = makePoolMachine();
    await wipe(machine, "top.qcow2");
    const { out } = await runOn(machine, "vol-dumpxml", `${IMAGES}/top.qcow2`);
    expect(out).toContain("<format type='raw'/>");
  });

  test("refuses what a guest, a definition or another volume has", async () => {
    const machine = makePoolMachine();
    expect(await refusal(machine, "base.raw")).toEqual([
      5,
      `error: Cannot wipe ${IMAGES}/base.raw: the volume ${IMAGES}/top.qcow2 needs it`,
    ]);
    const xml = domainXml({ disks: diskXml(`${IMAGES}/private1.raw`, "vda") });
    await defineDomain(nodeOn(machine), xml);
    expect(await refusal(machine, "private1.raw")).toEqual([
      5,
      `error: Cannot wipe ${IMAGES}/private1.raw: the domain 'vm1' has it`,
    ]);
    await startDomain(nodeOn(machine), xml);
    expect(await refusal(machine, "private1.raw")).toEqual([
      5,
      `error: Cannot wipe ${IMAGES}/private1.raw: the guest vm1 uses that file`,
    ]);
  });

  // The names of libvirt's virStorageVolWipeAlgorithm.
  test.each(["nnsa", "dod", "bsi", "gutmann", "schneier", "pfitzner7", "pfitzner33", "random"])(
    "refuses the algorithm %s",
    async (name) => {
      expect(await refusal(makePoolMachine(), "private1.raw", "--algorithm", name)).toEqual([
        2,
        `error: argument unsupported: '${name}' algorithm not supported`,
      ]);
    },
  );

  test("refuses another word as virsh does", async () => {
    expect(await refusal(makePoolMachine(), "private1.raw", "--algorithm", "foo")).toEqual([
      2,
      "error: Unsupported algorithm 'foo'",
    ]);
  });
});
