import { describe, expect, test } from "bun:test";
import { passphrasesOf } from "../../../src/domain/devices/disk/secrets.ts";
import { parseDomainText } from "../../../src/domain/document.ts";
import { parseSnapshotText } from "../../../src/domain/other-documents/snapshot.ts";
import { parseQcow2Header } from "../../../src/images/qcow2-header.ts";
import { listChanged } from "../../../src/state/changes/changes.ts";
import { readDefinition } from "../../../src/state/definitions.ts";
import type { Instance } from "../../../src/state/instance.ts";
import { readSnapshots } from "../../../src/state/snapshots/snapshots.ts";
import { createSnapshot } from "../../../src/vm/snapshot/create-snapshot.ts";
import { planDomainRevert } from "../../../src/vm/snapshot/revert-memory.ts";
import { revertToSnapshot } from "../../../src/vm/snapshot/revert-snapshot.ts";
import { type Machine, snapshot } from "../../memory-host/machine.ts";
import { sampleOf } from "../../sample.ts";
import { IMAGES } from "../../scenes/block.ts";
import { ENCRYPTION, machineWithVolume, withQuickKeys } from "../../scenes/luks.ts";
import { errorOf, nodeOn, UUID } from "../../scenes/scene.ts";
import { SECRET_UUID } from "../../scenes/secrets.ts";
import { beStruck, instantsOf } from "../../scenes/strikes.ts";

const OVERLAY = `${IMAGES}/over.qcow2`;

async function take(node: Instance, encryption: typeof ENCRYPTION | undefined = ENCRYPTION): Promise<void> {
  const disk = { name: "vda", snapshot: "external", driver: undefined, file: OVERLAY, encryption };
  const flags = { isDiskOnly: true, isKept: true, reuses: false };
  const wanted = { name: "s1", disks: [disk], reuses: false, flags, kept: { description: undefined } };
  await createSnapshot(withQuickKeys(node), UUID, { snapshot: wanted });
}

async function revert(node: Instance): Promise<unknown> {
  return await revertToSnapshot(withQuickKeys(node), UUID, { name: "s1", isForced: false });
}

function imagesOn(machine: Machine): string[] {
  return nodeOn(machine)
    .host.listFolder(IMAGES)
    .filter((name) => /^\.?(over|a)\./.test(name))
    .sort();
}

/** Path and secrets of vda in the definition. */
function diskOn(machine: Machine) {
  const xml = readDefinition(nodeOn(machine), "vm1")?.xml ?? "";
  const [disk] = parseDomainText(xml).devices.disks;
  if (disk === undefined) throw new Error("the domain has no disk");
  const [, path = ""] = /<source file='([^']*)'/.exec(xml) ?? [];
  return { path, secrets: passphrasesOf(disk).map((secret) => secret?.uuid ?? secret?.usage) };
}

describe("of an encrypted disk that is off", () => {
  test("a snapshot without <encryption> is refused and changes nothing", async () => {
    const machine = await machineWithVolume();
    const before = snapshot(machine);
    const bare = withQuickKeys(nodeOn(machine));
    const flags = { isDiskOnly: true, isKept: true, reuses: false };
    const wanted = { name: "s1", disks: [], reuses: false, flags, kept: { description: undefined } };
    const error = await errorOf(createSnapshot(bare, UUID, { snapshot: wanted }));
    expect(error.message).toContain("disk 'vda' is encrypted, and the snapshot's overlay would not be");
    expect(snapshot(machine)).toEqual(before);
  });

  test("a revert makes an overlay that the secret of the image below opens", async () => {
    const machine = await machineWithVolume();
    await take(nodeOn(machine));
    await revert(nodeOn(machine));
    const { path, secrets } = diskOn(machine);
    expect([path, secrets]).toEqual([expect.stringMatching(/\/a\.\d+$/), [SECRET_UUID, SECRET_UUID]]);
    const { backingFile, encryption } = parseQcow2Header(machine.files.get(path).bytes);
    expect([backingFile, encryption]).toEqual([`${IMAGES}/a.luks`, "luks"]);
    const [stored] = readSnapshots(nodeOn(machine), UUID).snapshots;
    const described = parseSnapshotText(stored?.xml ?? "").disks?.disks.map(({ source }) => source);
    expect(described).toMatchObject([{ file: path, encryption: { secrets: [{ uuid: SECRET_UUID }] } }]);
  });

  test("the plan of a revert with a start has the label of the encrypted overlay", async () => {
    const machine = await machineWithVolume();
    await take(nodeOn(machine));
    const how = { name: "s1", isForced: false, runs: true };
    const { steps } = await planDomainRevert(nodeOn(machine), UUID, how);
    const made = steps.flatMap((step) => (step.do === "make-image" ? [step.path] : []));
    expect(made).toHaveLength(1);
    expect(steps.flatMap((step) => (step.do === "set-label" ? [step.file.path] : []))).toEqual(
      expect.arrayContaining(made),
    );
  });

  test("a revert whose path is taken while the header is made is refused, and makes nothing", async () => {
    const machine = await machineWithVolume();
    await take(nodeOn(machine));
    const before = [readDefinition(nodeOn(machine), "vm1"), imagesOn(machine)];
    const { host, ...node } = withQuickKeys(nodeOn(machine));
    const quick = await host.getCryptography();
    const deriveKey: typeof quick.deriveKey = (options) => {
      const time = Math.floor(host.nowMs() / 1000);
      for (let at = time - 2; at <= time; at += 1)
        if (machine.files.find(`${IMAGES}/a.${at}`) === undefined)
          machine.files.put(`${IMAGES}/a.${at}`, "file", { bytes: new Uint8Array() });
      return quick.deriveKey(options);
    };
    const slow = { ...host, getCryptography: async () => ({ ...quick, deriveKey }) };
    const error = await errorOf(
      revertToSnapshot({ ...node, host: slow }, UUID, { name: "s1", isForced: false }),
    );
    expect([error.kind, error.message]).toEqual([
      "wrong-state",
      expect.stringContaining("changed meanwhile"),
    ]);
    expect(listChanged(nodeOn(machine), ["domain"])).toEqual([]);
    const left = imagesOn(machine).filter((name) => !/^a\.\d+$/.test(name));
    expect([readDefinition(nodeOn(machine), "vm1"), left]).toEqual(before);
  });

  test.each([
    ["a snapshot", machineWithVolume, (node: Instance) => take(node)],
    [
      "a revert",
      async () => {
        const machine = await machineWithVolume();
        await take(nodeOn(machine));
        return machine;
      },
      revert,
    ],
  ] as const)(
    "%s that was killed is repeated with success, or was done, without a recovery before",
    async (_, prepare, work) => {
      for (const strike of sampleOf(await instantsOf(prepare, work))) {
        const machine = await prepare();
        await beStruck(machine, work, strike);
        const again = await Promise.resolve(work(nodeOn(machine))).catch((error: Error) => error.message);
        const said = typeof again === "string" ? again : "";
        expect(said === "" || said.includes("domain moment s1 already exists")).toBe(true);
        expect(listChanged(nodeOn(machine), ["domain"])).toEqual([]);
        expect(diskOn(machine).secrets).toHaveLength(2);
      }
    },
    120_000,
  );
});
