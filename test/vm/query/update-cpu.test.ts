import { expect, test } from "bun:test";
import { runOn } from "../../cli/in-memory.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { asked, call, domain, errorIn, word } from "../../rpc/remote-client.ts";
import { domainXml, makeMachine, nodeOn, UUID } from "../../scenes/scene.ts";

// qemuDomainDefFormatBufInternal() and virCPUUpdate() of libvirt 11.3.0, its src/cpu_map for the models.

const UPDATE_CPU = 4;

async function defined(cpu: string): Promise<Machine> {
  const machine = makeMachine();
  machine.files.put("/vm.xml", "file", { bytes: domainXml({ lifecycle: cpu }) });
  expect((await runOn(machine, "define", "/vm.xml")).code).toBe(0);
  return machine;
}

const asksXml = (flags: number): string => call(14, domain("vm1", UUID) + word(flags));

test.each([
  [""],
  ["<cpu mode='host-passthrough'/>"],
  ["<cpu mode='maximum'/>"],
  ["<cpu><topology sockets='1' cores='1' threads='1'/></cpu>"],
  ["<cpu match='exact'><model>Haswell</model><feature name='aes' policy='require'/></cpu>"],
])("VIR_DOMAIN_XML_UPDATE_CPU leaves %p as it is", async (cpu) => {
  const machine = await defined(cpu);
  const plain = await asked(nodeOn(machine), asksXml(0));
  expect(plain.status).toBe(0);
  expect((await asked(nodeOn(machine), asksXml(UPDATE_CPU))).payload).toBe(plain.payload);
  expect(await runOn(machine, "dumpxml", "vm1", "--update-cpu")).toEqual(
    await runOn(machine, "dumpxml", "vm1"),
  );
});

test.each([
  ["<cpu mode='host-model'/>", "/domain/cpu/@mode is host-model"],
  ["<cpu match='minimum'><model>Haswell</model></cpu>", "/domain/cpu/@match is minimum"],
  ["<cpu><model>Haswell</model><feature name='aes' policy='optional'/></cpu>", '"aes" is optional'],
  ["<cpu><model>EPYC</model></cpu>", "/domain/cpu/model is EPYC"],
])("it is refused for %p, which libvirt changes", async (cpu, why) => {
  const machine = await defined(cpu);
  const refused = errorIn(await asked(nodeOn(machine), asksXml(UPDATE_CPU)));
  expect(refused).toMatchObject({ code: 74, message: expect.stringContaining(why) });
  expect((await runOn(machine, "dumpxml", "vm1", "--update-cpu")).code).toBe(2);
});

test("it does not concern a running guest, but its definition", async () => {
  const machine = await defined("<cpu><model>EPYC</model></cpu>");
  expect((await runOn(machine, "start", "vm1")).code).toBe(0);
  expect((await asked(nodeOn(machine), asksXml(UPDATE_CPU))).status).toBe(0);
  expect(errorIn(await asked(nodeOn(machine), asksXml(UPDATE_CPU | 2)))?.code).toBe(74);
});
