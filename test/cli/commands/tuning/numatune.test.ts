import { expect, test } from "bun:test";
import type { Machine } from "../../../memory-host/machine.ts";
import { asked, call, domain, errorIn, text, word } from "../../../rpc/remote-client.ts";
import { GROUP, machineWithGroups } from "../../../scenes/groups.ts";
import { recordOf } from "../../../scenes/hotplug.ts";
import { domainXml, nodeOn, sweepAll, UUID } from "../../../scenes/scene.ts";
import { runOn } from "../../in-memory.ts";

// Layout is that of libvirt's tools/virsh-domain.c, messages those of its qemu_driver.c.

const TUNED = "<numatune><memory mode='strict' nodeset='0'/></numatune>";

async function runningMachine(lifecycle = TUNED): Promise<Machine> {
  const machine = machineWithGroups();
  machine.files.putFolder("/sys/devices/system/node");
  machine.files.put("/sys/devices/system/node/online", "file", { bytes: new TextEncoder().encode("0-1\n") });
  machine.files.put("/vm.xml", "file", { bytes: domainXml({ lifecycle }) });
  await runOn(machine, "define", "/vm.xml");
  expect((await runOn(machine, "start", "vm1")).err).toBe("");
  return machine;
}

const inactive = async (machine: Machine): Promise<string> =>
  (await runOn(machine, "dumpxml", "vm1", "--inactive")).out;

test("numatune shows the mode and nodes, and changes the guest's group and the definition", async () => {
  const machine = await runningMachine();
  expect((await runOn(machine, "numatune", "vm1")).out).toBe(
    "numa_mode      : strict\nnuma_nodeset   : 0\n\n",
  );
  expect(await runOn(machine, "numatune", "vm1", "--nodeset", "0-1", "--live")).toEqual({
    code: 0,
    out: "\n",
    err: "",
  });
  expect(machine.groups.read(`${GROUP}/cpuset.mems`)).toBe("0-1");
  expect(await inactive(machine)).toContain("nodeset='0'/>");
  await runOn(machine, "numatune", "vm1", "--mode", "2", "--nodeset", "1", "--config");
  expect((await runOn(machine, "numatune", "vm1", "--config")).out).toBe(
    "numa_mode      : interleave\nnuma_nodeset   : 1\n\n",
  );
  expect((await runOn(machine, "numatune", "vm1")).out).toContain("numa_nodeset   : 0-1\n");
});

test("numatune that was killed half way is taken back", async () => {
  const machine = await runningMachine();
  const before = recordOf(machine);
  const words = ["numatune", "vm1", "--nodeset", "1", "--live", "--crash-drill", "after:1"];
  await runOn(machine, ...words).catch(() => undefined);
  expect(machine.groups.read(`${GROUP}/cpuset.mems`)).toBe("1");
  await sweepAll(machine);
  expect(machine.groups.read(`${GROUP}/cpuset.mems`)).toBe("0");
  expect(recordOf(machine)).toEqual(before);
});

test.each([
  [["--mode", "x"], "Invalid mode: x"],
  [["--nodeset", "x"], "Invalid nodeset of 'numatune': x"],
  [["--mode", "preferred", "--live"], "can't change numatune mode for running domain"],
  [["--nodeset", "7", "--live"], "7"],
])("numatune %p is refused, and changes nothing", async (words, message) => {
  const machine = await runningMachine();
  const before = [recordOf(machine), await inactive(machine)];
  const { code, err } = await runOn(machine, "numatune", "vm1", ...words);
  expect(err).toContain(message);
  expect(code).toBeGreaterThan(1);
  expect([recordOf(machine), await inactive(machine)]).toEqual(before);
});

test("a running guest of another mode keeps its nodes, and a mode without nodes is refused", async () => {
  const machine = await runningMachine(TUNED.replace("strict", "preferred"));
  expect((await runOn(machine, "numatune", "vm1", "--nodeset", "1", "--live")).err).toContain(
    "change of nodeset for running domain requires strict numa mode",
  );
  const plain = await runningMachine("");
  expect((await runOn(plain, "numatune", "vm1", "--mode", "strict", "--config")).err).toContain(
    "nodeset for NUMA memory tuning must be set if 'placement' is static",
  );
});

test("virDomainSetNumaParameters() and virDomainGetNumaParameters() have libvirt's numbers and types", async () => {
  const node = nodeOn(await runningMachine());
  const VM1 = domain("vm1", UUID);
  const given = (mode: number, nodes: string): string =>
    text("numa_mode") + word(1) + word(mode) + text("numa_nodeset") + word(7) + text(nodes);
  expect((await asked(node, call(255, VM1 + word(0) + word(2)))).payload).toBe(word(0) + word(2));
  expect(errorIn(await asked(node, call(254, VM1 + word(2) + given(3, "0-1") + word(2))))).toBeUndefined();
  expect((await asked(node, call(255, VM1 + word(2) + word(2)))).payload).toBe(
    word(2) + given(3, "0-1") + word(0),
  );
  expect(errorIn(await asked(node, call(254, VM1 + word(2) + given(4, "0") + word(2))))).toMatchObject({
    code: 8,
    message: "invalid argument: unsupported numatune mode: '4'",
  });
  expect(errorIn(await asked(node, call(254, VM1 + word(2) + given(3, "") + word(2))))).toMatchObject({
    code: 55,
    message: "Requested operation is not valid: Invalid nodeset of 'numatune': ",
  });
});
