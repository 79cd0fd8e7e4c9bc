import { expect, test } from "bun:test";
import { setLifecycleAction } from "../../../../src/vm/tuning/set-lifecycle-action.ts";
import type { Machine } from "../../../memory-host/machine.ts";
import { recordOf } from "../../../scenes/hotplug.ts";
import { domainXml, makeMachine, sweepAll, UUID } from "../../../scenes/scene.ts";
import { beStruck, instantsOf, type Work } from "../../../scenes/strikes.ts";
import { runOn } from "../../in-memory.ts";

// cmdSetLifecycleAction() of libvirt's tools/virsh-domain.c: an empty line is printed. Refusals are those of
// libvirtd 11.3.0.

async function defined(isRunning = true): Promise<Machine> {
  const machine = makeMachine();
  machine.files.put("/vm.xml", "file", { bytes: domainXml({}) });
  await runOn(machine, "define", "/vm.xml");
  if (isRunning) expect((await runOn(machine, "start", "vm1")).code).toBe(0);
  return machine;
}

const set = (machine: Machine, ...words: readonly string[]) =>
  runOn(machine, "set-lifecycle-action", "vm1", ...words);

async function actions(machine: Machine, ...words: readonly string[]): Promise<readonly string[]> {
  const xml = (await runOn(machine, "dumpxml", "vm1", ...words)).out;
  return ["on_poweroff", "on_reboot", "on_crash"].map(
    (tag) => new RegExp(`<${tag}>(.*)</${tag}>`).exec(xml)?.[1] ?? "",
  );
}

test("set-lifecycle-action changes the running guest, what follows its end, and what its QEMU does", async () => {
  const machine = await defined();
  expect(recordOf(machine)).toMatchObject({ onPoweroff: "destroy", onCrash: "destroy" });
  for (const words of [
    ["poweroff", "restart"],
    ["crash", "restart"],
  ])
    expect(await set(machine, ...words)).toEqual({ code: 0, out: "\n", err: "" });
  expect(recordOf(machine)).toMatchObject({ onPoweroff: "restart", onCrash: "restart" });
  expect(await actions(machine)).toEqual(["restart", "restart", "restart"]);
  expect(await actions(machine, "--inactive")).toEqual(["destroy", "restart", "destroy"]);
});

test("set-lifecycle-action changes the definition of a guest that is off", async () => {
  const machine = await defined(false);
  await set(machine, "reboot", "destroy");
  await set(machine, "crash", "preserve");
  expect(await actions(machine)).toEqual(["destroy", "destroy", "preserve"]);
});

test("a guest whose QEMU refuses stays as it is", async () => {
  const machine = await defined();
  machine.qemu = { refuses: "set-action" };
  expect((await set(machine, "crash", "restart")).code).toBe(1);
  expect(recordOf(machine)).toMatchObject({ onCrash: "destroy" });
  expect(recordOf(machine).change).toBeUndefined();
  expect(await actions(machine)).toEqual(["destroy", "restart", "destroy"]);
});

// The exit status of a QEMU that fails tells a crash from a power-off, whatever follows.
const PANIC_ACTIONS = new Map([
  ["destroy", "exit-failure"],
  ["preserve", "pause"],
]);

test("QEMU and the record agree again after svirt was killed at any instant", async () => {
  const ask = { key: "vm1", options: {}, isDryRun: false };
  const work: Work = (node) => setLifecycleAction(node, ask, { type: "crash", action: "preserve" });
  for (const strike of await instantsOf(defined, work)) {
    const machine = await defined();
    await beStruck(machine, work, strike);
    await sweepAll(machine);
    const onCrash = (await actions(machine))[2] ?? "";
    // qapi/run-state.json PanicAction. Without any command QEMU has that of its start.
    const { panicAction = "exit-failure" } = machine.processes.qemuOf(UUID) ?? {};
    expect([strike, recordOf(machine).change, panicAction]).toEqual([
      strike,
      undefined,
      PANIC_ACTIONS.get(onCrash),
    ]);
  }
});

test.each([
  ["no type", ["sleep", "destroy"], "Invalid lifecycle type 'sleep'."],
  ["no action", ["crash", "x"], "Invalid lifecycle action 'x'."],
  ["a dump after a reboot", ["reboot", "coredump-destroy"], "doesn't support 'coredump-destroy' action"],
  ["a dump after a crash", ["crash", "coredump-restart"], "svirt does not dump"],
  ["a stop after a power-off", ["poweroff", "preserve"], "doesn't support the 'preserve' action"],
  ["another name after a crash", ["crash", "rename-restart"], "the 'rename-restart' action for 'on_crash'"],
])("set-lifecycle-action refuses %s", async (_, words, says) => {
  for (const isRunning of [true, false]) {
    const machine = await defined(isRunning);
    const said = await set(machine, ...words);
    expect([said.code, said.err]).toEqual([2, expect.stringContaining(says)]);
    expect(await actions(machine)).toEqual(["destroy", "restart", "destroy"]);
  }
});

test("set-lifecycle-action refuses two actions that contradict each other", async () => {
  for (const isRunning of [true, false]) {
    const machine = await defined(isRunning);
    await set(machine, "poweroff", "restart");
    expect((await set(machine, "reboot", "destroy")).code).toBe(2);
    expect(await actions(machine)).toEqual(["restart", "restart", "destroy"]);
  }
});
