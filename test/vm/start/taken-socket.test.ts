import { expect, test } from "bun:test";
import { startDomain } from "../../../src/vm/start/start.ts";
import { snapshot } from "../../memory-host/machine.ts";
import { diskXml, domainXml, makeMachine, nodeOn } from "../../scenes/scene.ts";

const PATH = "/var/lib/images/serial.sock";

test.each([
  ["with the guest's label", ""],
  ["without a label", "<seclabel model='selinux' relabel='no'/>"],
])("a start %s leaves another program's socket at its path", async (_, seclabel) => {
  const machine = makeMachine();
  machine.files.put(PATH, "socket");
  const before = snapshot(machine);
  const serial =
    `<serial type='unix'><source mode='bind' path='${PATH}'>${seclabel}</source></serial>` +
    diskXml("/var/lib/images/private1.raw", "vda");
  const started = startDomain(nodeOn(machine), domainXml({ disks: serial }));
  await expect(started).rejects.toThrow(`Cannot listen at ${PATH} for the guest: a socket exists there`);
  expect(machine.files.find(PATH, false)).toBeDefined();
  expect(snapshot(machine)).toEqual(before);
});
