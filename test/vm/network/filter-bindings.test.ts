import { expect, test } from "bun:test";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { runOn } from "../../cli/in-memory.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { asked, call, errorIn, text, word } from "../../rpc/remote-client.ts";
import { domainXml, makeMachine, nodeOn, UUID } from "../../scenes/scene.ts";

// virNWFilterBindingDefFormatBuf() of libvirt 11.3.0, cmdNWFilterBindingList() of its tools/virsh-nwfilter.c,
// numbers from remote_protocol.x.

const card = (last: number, inside = ""): string =>
  `<interface type='bridge'><mac address='52:54:00:00:AA:0${last}'/><source bridge='br0'/><target dev='tap${last}'/>${inside}</interface>`;
const FILTERED =
  "<filterref filter='clean-traffic'><parameter name='IP' value='10.0.0.2'/><parameter name='CTRL_IP_LEARNING' value='none'/></filterref>";

async function running(devices: string): Promise<Machine> {
  const machine = makeMachine();
  machine.taps.addBridge("br0");
  await startDomain(nodeOn(machine), domainXml({ devices }));
  return machine;
}

test("the taps of running guests with a filter are listed, and shown, until the guest ends", async () => {
  const spoofed = "<filterref filter='no-mac-spoofing'/>";
  const machine = await running(card(3, FILTERED) + card(2) + card(1, spoofed));
  expect((await runOn(machine, "nwfilter-binding-list")).out).toBe(
    " Port Dev   Filter\n-----------------------------\n tap1       no-mac-spoofing\n tap3       clean-traffic\n\n",
  );
  const xml = `<filterbinding>
  <owner>
    <name>vm1</name>
    <uuid>${UUID}</uuid>
  </owner>
  <portdev name='tap3'/>
  <mac address='52:54:00:00:aa:03'/>
  <filterref filter='clean-traffic'>
    <parameter name='CTRL_IP_LEARNING' value='none'/>
    <parameter name='IP' value='10.0.0.2'/>
  </filterref>
</filterbinding>
`;
  expect((await runOn(machine, "nwfilter-binding-dumpxml", "tap3")).out).toBe(`${xml}\n`);
  const binding = text("tap3") + text("clean-traffic");
  const read = async (packet: string): Promise<string> => (await asked(nodeOn(machine), packet, 1)).payload;
  expect(await read(call(397, text("tap3")))).toBe(binding);
  expect(await read(call(398, binding + word(0)))).toBe(text(xml));
  expect(await read(call(401, word(1) + word(0)))).toBe(
    word(2) + text("tap1") + text("no-mac-spoofing") + binding + word(2),
  );
  expect(await read(call(401, word(0) + word(0)))).toBe(word(0) + word(2));
  await destroyDomain(nodeOn(machine), "vm1");
  expect((await runOn(machine, "nwfilter-binding-list", "--json")).out).toBe("[]\n");
});

test.each([["tap2"], ["tap9"], [""]])("a tap %p without a filter has no binding", async (tap) => {
  const machine = await running(card(1, FILTERED) + card(2));
  expect(errorIn(await asked(nodeOn(machine), call(397, text(tap))))).toEqual({
    code: 101,
    domain: 33,
    message: `Network filter binding not found: no nwfilter binding for port dev '${tap}'`,
  });
  expect(errorIn(await asked(nodeOn(machine), call(401, word(1) + word(1))))?.code).toBe(8);
});
