import { describe, expect, test } from "bun:test";
import { passphrasesOf } from "../../../src/domain/devices/disk/secrets.ts";
import { parseDomainText } from "../../../src/domain/document.ts";
import { formatNewImage } from "../../../src/images/new-qcow2.ts";
import { parseQcow2Header } from "../../../src/images/qcow2-header.ts";
import { listQemuObjects } from "../../../src/plan/record/qemu-objects.ts";
import { readDefinition } from "../../../src/state/definitions.ts";
import { snapshotLive } from "../../../src/vm/block/snapshot.ts";
import type { SnapshotDisk } from "../../../src/vm/block/snapshot-options.ts";
import { planGuestChange } from "../../../src/vm/change/plan-change.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { commitOn, copyOn, endOn, IMAGES, pullOn, takeOn, waitOn } from "../../scenes/block.ts";
import { accessOf, CONTENT, expectCleanEnd, expectRefused, sources } from "../../scenes/block-checks.ts";
import { recordOf, wholeState } from "../../scenes/hotplug.ts";
import {
  ENCRYPTION,
  LUKS_NAME,
  luksDisk,
  machineWithLuks,
  PASSPHRASE,
  withQuickKeys,
} from "../../scenes/luks.ts";
import { errorOf, labelOf, nodeOn, UUID } from "../../scenes/scene.ts";
import { SECRET_UUID } from "../../scenes/secrets.ts";

const OVERLAY = `${IMAGES}/over.qcow2`;

const disk: SnapshotDisk = {
  name: "vda",
  snapshot: "external",
  driver: undefined,
  file: OVERLAY,
  encryption: ENCRYPTION,
};
const encrypted = { disks: [disk] };

/** Names of the secrets of vda's images, in the running guest's XML and in its definition. */
function secretsOf(machine: Machine): unknown[] {
  const definition = readDefinition(nodeOn(machine), "vm1")?.xml ?? "";
  return [recordOf(machine).xml, definition].map((xml) =>
    parseDomainText(xml)
      .devices.disks.flatMap(passphrasesOf)
      .map((secret) => secret?.uuid ?? secret?.usage),
  );
}

function objectsOf(machine: Machine): string[] {
  return [...listQemuObjects(recordOf(machine).steps).objects.keys()].filter((id) => id.includes("secret"));
}

function expectNoValue(machine: Machine): void {
  const left = [...(machine.files.get(`/run/svirt/${UUID}`).entries.keys() ?? [])];
  expect(left.filter((name) => name.includes("secret"))).toEqual([]);
  const told = JSON.stringify(recordOf(machine));
  for (const form of [PASSPHRASE, btoa(PASSPHRASE)]) expect(told).not.toContain(form);
}

describe("a snapshot of an encrypted disk", () => {
  test("has an overlay that is encrypted by its own secret, above the volume with its", async () => {
    const machine = await machineWithLuks();
    const own = labelOf(machine, `${IMAGES}/a.luks`);
    await takeOn(withQuickKeys(nodeOn(machine)), encrypted);
    expect(sources(machine)).toEqual([`${OVERLAY} qcow2`, `${OVERLAY} qcow2`]);
    expect(secretsOf(machine)).toEqual([
      ["/luks", SECRET_UUID],
      ["/luks", SECRET_UUID],
    ]);
    const { backingFile, backingFormat, encryption } = parseQcow2Header(machine.files.get(OVERLAY).bytes);
    expect([backingFile, backingFormat, encryption]).toEqual([`${IMAGES}/a.luks`, "luks", "luks"]);
    expect([labelOf(machine, OVERLAY), labelOf(machine, `${IMAGES}/a.luks`)]).toEqual([own, CONTENT]);
    expect([accessOf(machine, OVERLAY), accessOf(machine, `${IMAGES}/a.luks`)]).toEqual([
      ["read-write"],
      ["read-only"],
    ]);
    expect(objectsOf(machine)).toHaveLength(2);
    expectNoValue(machine);
    await expectCleanEnd(machine);
  });

  test.each([false, true])(
    "is refused if the XML asks for none, and changes nothing (--reuse-external: %s)",
    async (reuses) => {
      const machine = await machineWithLuks();
      const bytes = formatNewImage({
        format: "qcow2",
        sizeBytes: 4096,
        backing: { path: `${IMAGES}/a.luks`, format: "luks" },
      });
      if (reuses) machine.files.put(OVERLAY, "file", { bytes });
      const before = wholeState(machine);
      const plain = { ...disk, encryption: undefined };
      const error = await errorOf(takeOn(nodeOn(machine), { disks: [plain], reuses }));
      expect(error.message).toContain("disk 'vda' is encrypted, and the snapshot's overlay would not be");
      expect(error.remedy).toContain("Write <encryption> in the <source> of <disk name='vda'>");
      expect(wholeState(machine)).toEqual(before);
    },
  );

  test("has one for each of two encrypted disks", async () => {
    const machine = await machineWithLuks(luksDisk("vdb", "b"));
    const other = { ...disk, name: "vdb", file: `${IMAGES}/other.qcow2` };
    await takeOn(withQuickKeys(nodeOn(machine)), { disks: [disk, other] });
    expect([sources(machine), sources(machine, "vdb")]).toEqual([
      [`${OVERLAY} qcow2`, `${OVERLAY} qcow2`],
      [`${IMAGES}/other.qcow2 qcow2`, `${IMAGES}/other.qcow2 qcow2`],
    ]);
    expect(secretsOf(machine)[0]).toEqual(["/luks", SECRET_UUID, "/luks", SECRET_UUID]);
    expect(objectsOf(machine)).toHaveLength(4);
    await expectCleanEnd(machine);
  });

  test("opens an overlay that exists, with the secret that the XML names, and refuses another below it", async () => {
    const machine = await machineWithLuks();
    await takeOn(withQuickKeys(nodeOn(machine)), encrypted);
    const { bytes } = machine.files.get(OVERLAY);
    await commitOn(nodeOn(machine));
    await waitOn(nodeOn(machine));
    await endOn(nodeOn(machine), "pivot");
    machine.files.put(`${IMAGES}/made.qcow2`, "file", { bytes });
    const reused = { disks: [{ ...disk, file: `${IMAGES}/made.qcow2` }], reuses: true, name: "s2" };
    await takeOn(nodeOn(machine), reused);
    expect(sources(machine)[0]).toBe(`${IMAGES}/made.qcow2 qcow2`);
    const again = { ...reused, name: "s3" };
    const refused = `its header names the backing file ${IMAGES}/a.luks, not ${IMAGES}/made.qcow2`;
    machine.files.put(`${IMAGES}/other.qcow2`, "file", { bytes });
    const other = { ...again, disks: [{ ...disk, file: `${IMAGES}/other.qcow2` }] };
    await expectRefused(machine, takeOn(nodeOn(machine), other), refused);
    await expectCleanEnd(machine);
  });

  test.each([
    ["only librbd supports this encryption", { ...ENCRYPTION, engine: "librbd" }],
    ["svirt chooses the <cipher> of a new image", { ...ENCRYPTION, cipher: { name: "aes", size: "256" } }],
    ["an image has one passphrase", { ...ENCRYPTION, secrets: [] }],
    [
      "no secret with matching usage '/none'",
      { ...ENCRYPTION, secrets: [{ type: "passphrase", usage: "/none" }] },
    ],
    ["QEMU makes no image of this format", { ...ENCRYPTION, format: "qcow" }],
  ] as const)("changes nothing: %s", async (why, encryption) => {
    const machine = await machineWithLuks();
    const before = wholeState(machine);
    const disks = [{ ...disk, encryption: encryption as typeof ENCRYPTION }];
    await expectRefused(machine, takeOn(withQuickKeys(nodeOn(machine)), { disks }), why);
    expect(wholeState(machine)).toEqual(before);
  });

  test.each(["object-add", "blockdev-add", "transaction"])(
    "takes all back when QEMU refuses %s, the overlay and the value too",
    async (command) => {
      const machine = await machineWithLuks();
      const before = wholeState(machine);
      machine.qemu = { refuses: command };
      const take = takeOn(withQuickKeys(nodeOn(machine)), encrypted);
      await expectRefused(machine, take, "as the test wants it");
      machine.qemu = {};
      expect(wholeState(machine)).toEqual(before);
    },
  );

  test("shows its steps without a value", async () => {
    const machine = await machineWithLuks();
    const request = snapshotLive(nodeOn(machine), { name: "s1", reuses: false, ...encrypted });
    const steps = await planGuestChange(nodeOn(machine), UUID, request);
    const order = steps.map(({ do: name }) => name).filter((name) => /image|secret|plug|remove/.test(name));
    expect(order).toEqual(["make-image", "write-secret", "plug", "remove-file"]);
    expect(JSON.stringify(steps)).not.toContain(btoa(PASSPHRASE));
    expect(steps.find((step) => step.do === "make-image")).toMatchObject({
      image: { luks: { secret: LUKS_NAME }, backing: { format: "luks" } },
    });
  });
});

test("an encryption by librbd has a remedy with its place in the snapshot's XML", async () => {
  const machine = await machineWithLuks();
  const disks = [{ ...disk, encryption: { ...ENCRYPTION, engine: "librbd" } as const }];
  const { place, remedy } = await errorOf(takeOn(nodeOn(machine), { disks }));
  expect([place, remedy]).toEqual([
    "/domainsnapshot/disks/disk/source/encryption",
    "Write engine='qemu', or leave engine out.",
  ]);
});

describe("a job on an encrypted disk", () => {
  test("commits an encrypted overlay into the volume, and QEMU forgets its passphrase", async () => {
    const machine = await machineWithLuks();
    await takeOn(withQuickKeys(nodeOn(machine)), encrypted);
    await commitOn(nodeOn(machine));
    await waitOn(nodeOn(machine));
    await endOn(nodeOn(machine), "pivot");
    expect(sources(machine)).toEqual([`${IMAGES}/a.luks raw`, `${IMAGES}/a.luks raw`]);
    expect(secretsOf(machine)).toEqual([[SECRET_UUID], [SECRET_UUID]]);
    expect(objectsOf(machine)).toEqual(["libvirt-1-format-encryption-secret0"]);
    expect(accessOf(machine, `${IMAGES}/a.luks`)).toEqual(["read-write"]);
    await expectCleanEnd(machine);
  });

  test("pulls the volume into an encrypted overlay, which then needs only its own secret", async () => {
    const machine = await machineWithLuks();
    await takeOn(withQuickKeys(nodeOn(machine)), encrypted);
    const [, own = ""] = objectsOf(machine);
    await pullOn(nodeOn(machine));
    await waitOn(nodeOn(machine));
    expect(secretsOf(machine)).toEqual([["/luks"], ["/luks"]]);
    expect(objectsOf(machine)).toEqual([own]);
    await expectCleanEnd(machine);
  });

  test("copies the volume to an encrypted image of a given size, and to a plain one", async () => {
    const machine = await machineWithLuks();
    const dest = `${IMAGES}/copy.luks`;
    await copyOn(withQuickKeys(nodeOn(machine)), { dest, format: "raw", encryption: ENCRYPTION });
    // Eight keys of 64 bytes in 4,000 stripes follow the header, each at a multiple of 4 KiB, and then the
    // disk of 4 KiB.
    expect(machine.files.get(dest).bytes.length).toBe(4096 + 4096 + 8 * 512 * 504);
    await waitOn(nodeOn(machine));
    await endOn(nodeOn(machine), "pivot");
    expect(secretsOf(machine)).toEqual([["/luks"], ["/luks"]]);
    expect(objectsOf(machine)).toHaveLength(1);
    expectNoValue(machine);
    await copyOn(nodeOn(machine), { dest: `${IMAGES}/plain.raw`, format: "raw" });
    await waitOn(nodeOn(machine));
    await endOn(nodeOn(machine), "pivot");
    expect(sources(machine)).toEqual([`${IMAGES}/plain.raw raw`, `${IMAGES}/plain.raw raw`]);
    expect([secretsOf(machine)[0], objectsOf(machine)]).toEqual([[undefined], []]);
    await expectCleanEnd(machine);
  });
});
