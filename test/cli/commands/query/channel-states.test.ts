import { expect, test } from "bun:test";
import type { Machine } from "../../../memory-host/machine.ts";
import { domainXml, makeMachine } from "../../../scenes/scene.ts";
import { runOn, type Said } from "../../in-memory.ts";

const CHANNELS = `<channel type='unix'><target type='virtio' name='a'/></channel>
  <channel type='pty'><target type='virtio' name='b'/><alias name='ua-mine'/></channel>
  <channel type='null'><target type='guestfwd' address='10.0.2.1' port='4600'/></channel>
  <serial type='pty'/>`;

async function running(devices: string): Promise<Machine> {
  const machine = makeMachine();
  machine.files.put("/vm.xml", "file", { bytes: domainXml({ devices }) });
  await runOn(machine, "define", "/vm.xml");
  expect((await runOn(machine, "start", "vm1")).code).toBe(0);
  return machine;
}

/** Returns the <target> of each channel. */
const targets = ({ out }: Said): readonly string[] =>
  [...out.matchAll(/<channel.*?(<target[^>]*>).*?<\/channel>/gs)].map(([, target = ""]) => target);

// virDomainChrTargetDefFormat() of libvirt
test("dumpxml of a running guest says which virtio channels it has open", async () => {
  const machine = await running(CHANNELS);
  const open = [
    { label: "charchannel0", filename: "", "frontend-open": true },
    { label: "charua-mine", filename: "", "frontend-open": false },
    { label: "charchannel2", filename: "", "frontend-open": true },
  ];
  machine.qemu = { answers: new Map([["query-chardev", open]]) };
  const said = await runOn(machine, "dumpxml", "vm1");
  expect(targets(said)).toEqual([
    "<target type='virtio' name='a' state='connected'/>",
    "<target type='virtio' name='b' state='disconnected'/>",
    "<target type='guestfwd' address='10.0.2.1' port='4600'/>",
  ]);
  expect(said.err).toBe("");
  expect((await runOn(machine, "dumpxml", "vm1", "--inactive")).out).not.toContain("state=");
});

test.each([
  ["an error", { refuses: "query-chardev" }],
  ["nonsense", { answers: new Map([["query-chardev", [{ label: 1 }]]]) }],
])("dumpxml of one that answers with %s shows the rest, and says so", async (_, qemu) => {
  const machine = await running(CHANNELS);
  machine.qemu = qemu;
  const said = await runOn(machine, "dumpxml", "vm1");
  expect(targets(said).slice(0, 2)).toEqual([
    "<target type='virtio' name='a'/>",
    "<target type='virtio' name='b'/>",
  ]);
  expect([said.code, said.err]).toEqual([
    0,
    expect.stringContaining("which channels are connected is not shown"),
  ]);
});

test("dumpxml of one without such a channel asks nothing", async () => {
  const machine = await running("<serial type='pty'/>");
  machine.qemu = { refuses: "query-chardev" };
  expect((await runOn(machine, "dumpxml", "vm1")).err).toBe("");
});
