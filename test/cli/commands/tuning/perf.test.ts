import { expect, test } from "bun:test";
import { asked, call, domain, errorIn, text, word } from "../../../rpc/remote-client.ts";
import { domainXml, makeMachine, nodeOn, UUID } from "../../../scenes/scene.ts";
import { runOn } from "../../in-memory.ts";

// Events and layout of libvirt's virperf.c and tools/virsh-domain.c.

async function definedMachine() {
  const machine = makeMachine();
  const lifecycle = "<perf><event name='cmt' enabled='yes'/></perf>";
  machine.files.put("/vm.xml", "file", { bytes: domainXml({ lifecycle }) });
  expect((await runOn(machine, "define", "/vm.xml")).err).toBe("");
  return machine;
}

test("perf shows all events, disables them, and enables none", async () => {
  const machine = await definedMachine();
  const shown = (await runOn(machine, "perf", "vm1")).out;
  expect(shown).toStartWith("cmt            : enabled\nmbmt           : disabled\n");
  expect(shown.trim().split("\n")).toHaveLength(22);
  expect((await runOn(machine, "perf", "vm1", "--enable", "mbmt")).err).toContain(
    "argument unsupported: unable to enable host cpu perf event for mbmt",
  );
  expect((await runOn(machine, "perf", "vm1", "--disable", "nothing")).err).toContain(
    "argument unsupported: parameter 'nothing' not supported",
  );
  expect(await runOn(machine, "perf", "vm1", "--disable", "cmt,mbmt")).toEqual({
    code: 0,
    out: "cmt            : disabled\nmbmt           : disabled\n\n",
    err: "",
  });
  expect((await runOn(machine, "perf", "vm1")).out).not.toContain("enabled");
});

test("virDomainGetPerfEvents() and virDomainSetPerfEvents() have booleans", async () => {
  const node = nodeOn(await definedMachine());
  const VM1 = domain("vm1", UUID);
  const event = (name: string, value: number): string => text(name) + word(6) + word(value);
  expect((await asked(node, call(365, VM1 + word(2)))).payload).toStartWith(
    word(22) + event("cmt", 1) + event("mbmt", 0),
  );
  expect(errorIn(await asked(node, call(366, VM1 + word(1) + event("mbmt", 1) + word(2))))?.code).toBe(74);
  expect(errorIn(await asked(node, call(366, VM1 + word(1) + event("cmt", 0) + word(2))))).toBeUndefined();
  expect((await asked(node, call(365, VM1 + word(2)))).payload).toStartWith(word(22) + event("cmt", 0));
});
