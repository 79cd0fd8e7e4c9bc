import { expect, test } from "bun:test";
import { FILE, MANAGED, savedByLibvirt } from "../../../scenes/saving.ts";
import { domainXml, makeMachine, reapAll } from "../../../scenes/scene.ts";
import { runOn } from "../../in-memory.ts";

/** Returns a machine with a domain that is saved as `words` say, and a function that runs commands on it. */
async function savedMachine(...words: string[]) {
  const machine = makeMachine();
  machine.files.put("/vm.xml", "file", { bytes: domainXml({}) });
  for (const command of [["define", "/vm.xml"], ["start", "vm1"], words]) await runOn(machine, ...command);
  await reapAll(machine);
  const said = async (...line: string[]) => {
    const { code, err, out } = await runOn(machine, ...line);
    return [code, out, err.split("\n")[0]];
  };
  return { machine, said };
}

const titled = (text: unknown): Uint8Array =>
  new TextEncoder().encode(String(text).replace("</name>", "</name><title>other</title>"));

test("save-image-define and save-image-edit change the XML and the state in a saved file", async () => {
  const { machine, said } = await savedMachine("save", "vm1", FILE);
  const [, xml = ""] = await said("save-image-dumpxml", FILE);
  machine.files.put("/other.xml", "file", { bytes: titled(xml) });
  expect(await said("save-image-define", FILE, "/other.xml", "--paused")).toEqual([
    0,
    `State file ${FILE} updated.\n\n`,
    "",
  ]);
  expect((await said("save-image-dumpxml", FILE))[1]).toContain("<title>other</title>");
  expect((await said("save-image-edit", FILE))[1]).toBe(
    `Saved image ${FILE} XML configuration not changed.\n\n`,
  );
  machine.edit = (text) => text.replace("other", "third");
  expect((await said("save-image-edit", FILE))[1]).toBe(`State file ${FILE} edited.\n\n`);
  expect((await said("save-image-dumpxml", FILE))[1]).toContain("<title>third</title>");
  expect((await said("domstate", "vm1"))[1]).toBe("shut off\n\n");
  await said("restore", FILE);
  expect((await said("domstate", "vm1"))[1]).toBe("paused\n\n");
});

test("managedsave-define, -edit and -dumpxml do so for the state that the next start continues", async () => {
  const { machine, said } = await savedMachine("managedsave", "vm1");
  const [, xml = ""] = await said("managedsave-dumpxml", "vm1");
  machine.files.put("/other.xml", "file", { bytes: titled(xml) });
  expect(await said("managedsave-define", "vm1", "/other.xml")).toEqual([
    0,
    "Managed save state file of domain 'vm1' updated.\n\n",
    "",
  ]);
  expect((await said("managedsave-edit", "vm1"))[1]).toBe(
    "Managed save image of domain 'vm1' XML configuration not changed.\n\n",
  );
  const edited = "Managed save image of Domain 'vm1' XML configuration edited.\n\n";
  expect((await said("managedsave-edit", "vm1", "--paused"))[1]).toBe(edited);
  expect((await said("managedsave-dumpxml", "vm1"))[1]).toContain("<title>other</title>");
  await said("start", "vm1");
  expect((await said("domstate", "vm1"))[1]).toBe("paused\n\n");
  expect(await said("managedsave-dumpxml", "vm1")).toEqual([
    4,
    "",
    "error: Requested operation is not valid: domain does not have managed save image",
  ]);
});

test("save-image-dumpxml and managedsave-dumpxml show the password in a state of libvirt's only if asked to", async () => {
  const { machine, said } = await savedMachine("managedsave", "vm1");
  for (const path of [FILE, MANAGED]) machine.files.put(path, "file", { bytes: savedByLibvirt() });
  for (const line of [
    ["save-image-dumpxml", FILE],
    ["managedsave-dumpxml", "vm1"],
  ]) {
    const [code, out] = await said(...line);
    expect([code, String(out).includes("<graphics type='vnc'/>"), String(out).includes("swordfish")]).toEqual(
      [0, true, false],
    );
    expect((await said(...line, "--security-info"))[1]).toContain("passwd='swordfish'");
  }
});

test("a refused text stays in its file, and the saved state is as it was", async () => {
  const { machine } = await savedMachine("managedsave", "vm1");
  const before = machine.files.get(MANAGED).bytes.slice();
  machine.edit = (text) => text.replace("<name>vm1", "<name>vm2");
  const { code, err } = await runOn(machine, "managedsave-edit", "vm1");
  expect(code).not.toBe(0);
  expect(err).toContain("Target domain name vm2 does not match source vm1");
  const [, path = ""] =
    /Correct your text in (\S+), then run: svirt managedsave-define \S+ \S+/.exec(err) ?? [];
  expect(new TextDecoder().decode(machine.files.get(path).bytes)).toContain("vm2");
  expect(machine.files.get(MANAGED).bytes).toEqual(before);
});

test("a change by another while the editor is open is not lost", async () => {
  const { machine, said } = await savedMachine("save", "vm1", FILE);
  const bytesOf = () => machine.files.get(FILE).bytes;
  const saved = new TextDecoder("latin1").decode(bytesOf());
  machine.edit = (text) => {
    bytesOf()[saved.indexOf("<memory unit='KiB'>") + "<memory unit='KiB'>".length] = "1".charCodeAt(0);
    return `${text}\n`;
  };
  expect((await said("save-image-edit", FILE))[2]).toBe(
    "error: the XML configuration was changed by another user",
  );
});
