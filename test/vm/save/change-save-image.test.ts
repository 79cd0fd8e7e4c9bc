import { expect, test } from "bun:test";
import { managedSavePath } from "../../../src/state/managed-save.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { changeManagedSave, changeSaveImage } from "../../../src/vm/save/change-save-image.ts";
import { managedSaveDomain } from "../../../src/vm/save/save-domain.ts";
import { readSaveImage } from "../../../src/vm/save/save-image.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { FILE, machineWithGuest, REMEMBERED, restored, save } from "../../scenes/saving.ts";
import { domainXml, errorOf, makeMachine, nodeOn, OTHER, UUID } from "../../scenes/scene.ts";

const AS_IT_WAS = { resumes: undefined } as const;
const bytesOf = (xml: string): Uint8Array => new TextEncoder().encode(xml);

async function savedMachine() {
  const machine = await machineWithGuest();
  await save(machine);
  return { machine, xml: readSaveImage(nodeOn(machine), FILE).xml };
}

test("a saved guest is restored with its memory and the XML that it has since", async () => {
  const { machine, xml } = await savedMachine();
  const other = xml.replace("</name>", "</name><title>other</title>");
  await changeSaveImage(nodeOn(machine), FILE, { xml: bytesOf(other), resumes: false });
  expect(readSaveImage(nodeOn(machine), FILE)).toMatchObject({
    xml: expect.stringContaining("<title>other</title>"),
    wasRunning: false,
  });
  await restored(machine);
  const qemu = machine.processes.qemuOf(UUID);
  expect([qemu?.stream?.memory, qemu?.status]).toEqual([REMEMBERED, "paused"]);
});

test("another domain's XML, and one that svirt does not know, leave a saved guest as it is", async () => {
  const { machine, xml } = await savedMachine();
  const before = machine.files.get(FILE).bytes.slice();
  for (const other of [xml.replace(UUID, OTHER), xml.replace("</name>", "</name><unknown/>"), "<domain"]) {
    const change = { ...AS_IT_WAS, xml: bytesOf(other) };
    expect(await errorOf(changeSaveImage(nodeOn(machine), FILE, change))).toBeDefined();
  }
  expect(machine.files.get(FILE).bytes).toEqual(before);
});

// Keys that only read see that XML: save-image-dumpxml, managedsave-dumpxml.
test("a display's password and raw QEMU arguments are not stored with a saved guest", async () => {
  const machine = makeMachine();
  await defineDomain(nodeOn(machine), domainXml());
  await startDomain(nodeOn(machine), domainXml());
  await managedSaveDomain(nodeOn(machine), "vm1", AS_IT_WAS);
  const path = managedSavePath(nodeOn(machine), "vm1");
  const { xml } = readSaveImage(nodeOn(machine), path);
  const before = machine.files.get(path).bytes.slice();
  const raw =
    "<qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><qemu:arg value='-S'/></qemu:commandline>";
  for (const [other, says] of [
    [xml.replace("</devices>", "<graphics type='vnc' passwd='secret'/></devices>"), "stores no passwords"],
    [xml.replace("</domain>", `${raw}</domain>`), "svirt does not understand"],
  ] as const) {
    const change = { ...AS_IT_WAS, xml: bytesOf(other) };
    for (const asked of [
      changeManagedSave(nodeOn(machine), "vm1", change),
      changeSaveImage(nodeOn(machine), path, change),
    ])
      expect(await errorOf(asked)).toMatchObject({
        kind: "unsupported",
        message: expect.stringContaining(says),
      });
  }
  expect(machine.files.get(path).bytes).toEqual(before);
});

test("a restricted key does not change a file where guests may not write", async () => {
  const { machine } = await savedMachine();
  machine.files.put("/etc/vm1.save", "file").bytes = machine.files.get(FILE).bytes.slice();
  const instance = { ...nodeOn(machine), isForKey: true as const };
  const change = { resumes: true, xml: undefined };
  const error = await errorOf(changeSaveImage(instance, "/etc/vm1.save", change));
  expect(error).toMatchObject({ kind: "denied" });
  await changeSaveImage(instance, FILE, change);
});

test("a restricted key changes a managed save, whose file svirt has chosen", async () => {
  const machine = makeMachine();
  await defineDomain(nodeOn(machine), domainXml());
  await startDomain(nodeOn(machine), domainXml());
  await managedSaveDomain(nodeOn(machine), "vm1", AS_IT_WAS);
  const instance = { ...nodeOn(machine), isForKey: true as const };
  await changeManagedSave(instance, "vm1", { resumes: false, xml: undefined });
  expect(readSaveImage(nodeOn(machine), managedSavePath(nodeOn(machine), "vm1")).wasRunning).toBe(false);
});
