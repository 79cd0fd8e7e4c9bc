import { expect, test } from "bun:test";
import { diskXml, domainXml, makeMachine } from "../../scenes/scene.ts";
import { runOn } from "../in-memory.ts";

// A file's name on the command line may have any bytes. Those that are not UTF-8 are lone surrogates within
// svirt.

const NAME = "/var/lib/images/new\udcff";

async function runningMachine() {
  const machine = makeMachine();
  machine.files.put("/vm.xml", "file", {
    bytes: domainXml({
      disks: diskXml("/var/lib/images/top.qcow2", "vda"),
      devices: "<video><model type='vga'/></video>",
    }),
  });
  await runOn(machine, "define", "/vm.xml");
  await runOn(machine, "start", "vm1");
  return machine;
}

test.each<readonly string[]>([
  ["save", "vm1", NAME],
  ["dump", "vm1", NAME, "--memory-only"],
  ["screenshot", "vm1", NAME],
])("%s writes the file of that name, and shows its bytes", async (...words) => {
  const machine = await runningMachine();
  const { code, out } = await runOn(machine, ...words);
  expect(code).toBe(0);
  expect(out).toContain(String.raw`/var/lib/images/new\xff`);
  expect(machine.files.find(NAME)).toBeDefined();
});

test.each<readonly string[]>([
  ["attach-disk", "vm1", NAME, "vdz"],
  ["snapshot-create-as", "vm1", "snap", "", `vda,file=${NAME}`, "--disk-only"],
  ["blockcopy", "vm1", "vda", NAME],
])("%s refuses it before any change, since the domain's XML cannot have it", async (...words) => {
  const machine = await runningMachine();
  const { code, err } = await runOn(machine, ...words);
  expect(err).toContain(String.raw`Cannot write /var/lib/images/new\xff as XML: it is not UTF-8`);
  expect(code).toBe(2);
  for (const name of [NAME, "/var/lib/images/new\ufffd"]) expect(machine.files.find(name)).toBeUndefined();
});
