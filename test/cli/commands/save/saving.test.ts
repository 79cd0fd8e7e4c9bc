import { expect, test } from "bun:test";
import { fileText, MANAGED } from "../../../scenes/saving.ts";
import { domainXml, makeMachine, reapAll, UUID } from "../../../scenes/scene.ts";
import { runOn } from "../../in-memory.ts";

/** Returns a machine on which a domain is defined and runs. */
async function runningMachine() {
  const machine = makeMachine();
  const devices = "<video><model type='vga'/></video>";
  machine.files.put("/vm.xml", "file", { bytes: domainXml({ devices }) });
  await runOn(machine, "define", "/vm.xml");
  await runOn(machine, "start", "vm1");
  return machine;
}

test("save, restore and what is in between say what virsh says", async () => {
  const machine = await runningMachine();
  const said = async (...words: string[]) => {
    const { code, err, out } = await runOn(machine, ...words);
    await reapAll(machine);
    return [code, out, err];
  };
  expect(await said("save", "vm1", "/var/lib/images/vm1.save")).toEqual([
    0,
    "\nDomain 'vm1' saved to /var/lib/images/vm1.save\n\n",
    "",
  ]);
  expect(await said("domstate", "vm1", "--reason")).toEqual([0, "shut off (saved)\n\n", ""]);
  const [, xml] = await said("save-image-dumpxml", "/var/lib/images/vm1.save");
  expect(xml).toContain(`<uuid>${UUID}</uuid>`);
  expect(xml).toEndWith("</domain>\n\n");
  expect(await said("restore", "/var/lib/images/vm1.save")).toEqual([
    0,
    "Domain restored from /var/lib/images/vm1.save\n\n",
    "",
  ]);
  expect(await said("domstate", "vm1", "--reason")).toEqual([0, "running (restored)\n\n", ""]);
});

test("managedsave, start and what is in between say what virsh says", async () => {
  const machine = await runningMachine();
  const said = async (...words: string[]) => {
    const { code, err, out } = await runOn(machine, ...words);
    await reapAll(machine);
    return [code, out, err.split("\n")[0]];
  };
  const info = async () => /^Managed save: +(\w+)$/m.exec(String((await said("dominfo", "vm1"))[1]))?.[1];
  expect(await info()).toBe("no");
  expect(await said("managedsave", "vm1")).toEqual([0, "\nDomain 'vm1' state saved by libvirt\n\n", ""]);
  expect(await info()).toBe("yes");
  expect((await said("plan", "vm1"))[1]).toContain(`load the state in ${MANAGED}`);
  expect(await said("undefine", "vm1")).toEqual([
    4,
    "",
    "error: Refusing to undefine while domain managed save image exists",
  ]);
  expect(await said("start", "vm1")).toEqual([0, "Domain 'vm1' started\n\n", ""]);
  expect(await info()).toBe("no");
  await said("managedsave", "vm1");
  expect(await said("managedsave-remove", "vm1")).toEqual([
    0,
    "Removed managedsave image for domain 'vm1'\n\n",
    "",
  ]);
  expect(await said("managedsave-remove", "vm1")).toEqual([
    0,
    "Domain 'vm1' has no manage save image; removal skipped\n",
    "",
  ]);
  await said("start", "vm1");
  await said("managedsave", "vm1");
  expect(await said("undefine", "vm1", "--managed-save")).toEqual([
    0,
    "Domain 'vm1' has been undefined\n\n",
    "",
  ]);
  expect(machine.files.find(MANAGED)).toBeUndefined();
});

test("recover --autostart lets a guest go on where it was left", async () => {
  const machine = await runningMachine();
  await runOn(machine, "autostart", "vm1");
  const stream = machine.processes.qemuOf(UUID)?.stream;
  if (stream !== undefined) stream.memory = "remembered";
  await runOn(machine, "managedsave", "vm1");
  await reapAll(machine);
  machine.reboot();
  await runOn(machine, "recover", "--autostart");
  expect(machine.processes.qemuOf(UUID)?.stream?.memory).toBe("remembered");
});

test("dump and screenshot say what virsh says, and a file has the guest's name and the time if it has no other", async () => {
  const machine = await runningMachine();
  const dumped = await runOn(machine, "dump", "vm1", "/var/lib/images/core", "--memory-only");
  expect([dumped.code, dumped.out]).toEqual([0, "\nDomain 'vm1' dumped to /var/lib/images/core\n\n"]);
  expect(fileText(machine, "/var/lib/images/core")).toStartWith("elf of");
  const drawn = await runOn(machine, "screenshot", "vm1", "/var/lib/images/x.png");
  expect([drawn.code, drawn.out]).toEqual([
    0,
    "Screenshot saved to /var/lib/images/x.png, with type of image/png\n",
  ]);
  const named = await runOn(machine, "screenshot", "vm1");
  expect(named.out).toMatch(
    /^Screenshot saved to vm1-\d{4}-\d\d-\d\d-\d\d:\d\d:\d\d\.png, with type of image\/png\n/,
  );
});

test.each([
  [
    "save vm1 /var/lib/images/s --running --paused",
    2,
    "Options --running and --paused are mutually exclusive",
  ],
  ["dump vm1 /var/lib/images/s --crash --live", 2, "Options --live and --crash are mutually exclusive"],
  ["dump vm1 /var/lib/images/s --format elf", 2, "--format only works with --memory-only"],
  ["dump vm1 /var/lib/images/s --memory-only --format x", 2, "format 'x' is not supported"],
  [
    "dump vm1 /var/lib/images/s --memory-only --format kdump-raw-zlib",
    2,
    "Cannot dump in the format kdump-raw-zlib: QEMU must seek in the file, and svirt gives it a pipe",
  ],
  ["screenshot vm1 --screen x", 2, "Numeric value 'x' for <screen> option is malformed or out of range"],
  ["restore /vm.xml", 1, "operation failed: image magic is incorrect"],
  ["restore /none", 3, "Cannot access file '/none': No such file or directory"],
])("%s is refused", async (words, code, message) => {
  const machine = await runningMachine();
  const said = await runOn(machine, ...words.split(" "));
  expect([said.code, said.out, said.err.split("\n")[0]]).toEqual([code, "", `error: ${message}`]);
});

test("a save that takes more than two seconds says how far it has come, and --verbose says it at once", async () => {
  for (const [words, seconds] of [
    [[], 5],
    [["--verbose"], 0],
  ] as const) {
    const machine = await runningMachine();
    machine.qemu = { savesForMs: 1000 * seconds + 100 };
    const { err } = await runOn(machine, "save", "vm1", "/var/lib/images/s", ...words);
    expect(err).toBe("\rSave: [60.00 %]\rSave: [100.00 %]\n");
    const quick = await runningMachine();
    expect((await runOn(quick, "save", "vm1", "/var/lib/images/s")).err).toBe("");
  }
});
