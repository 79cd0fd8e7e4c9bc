import { expect, test } from "bun:test";
import { peekDisk } from "../../../src/vm/block/peek-disk.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { diskXml, domainXml, makeMachine, nodeOn, putText } from "../../scenes/scene.ts";

const PART = { offset: 0, length: 4 };
const WHICH = { domain: "vm1", disk: "vda" };

/** Returns a machine with a domain that is off, whose raw disk is that file. */
async function machineWith(file: string) {
  const machine = makeMachine();
  putText(machine, file, "secret");
  const disks = diskXml(file, "vda").replace("type='qcow2'", "type='raw'");
  await defineDomain(nodeOn(machine), domainXml({ disks }));
  return machine;
}

test("peekDisk() returns bytes of a raw disk", async () => {
  const node = nodeOn(await machineWith("/var/lib/images/peeked.raw"));
  expect(new TextDecoder().decode(peekDisk(node, WHICH, PART))).toBe("secr");
  expect(new TextDecoder().decode(peekDisk({ ...node, isForKey: true }, WHICH, PART))).toBe("secr");
});

test.each(["/etc/svirt/secrets/a.base64", "/var/lib/svirt/save/vm2.save", "/root/key"])(
  "peekDisk() shows a restricted key no file that no guest may have, whatever a definition names: %s",
  async (file) => {
    const node = nodeOn(await machineWith(file));
    expect(() => peekDisk({ ...node, isForKey: true }, WHICH, PART)).toThrow("Cannot ");
  },
);
