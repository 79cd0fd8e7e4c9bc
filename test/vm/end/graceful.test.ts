import { describe, expect, test } from "bun:test";
import { readReason } from "../../../src/state/shutoff-reason.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { getDomainState } from "../../../src/vm/query/domain-state.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { snapshot } from "../../memory-host/machine.ts";
import { recordOf } from "../../scenes/hotplug.ts";
import { diskXml, domainXml, errorOf, makeMachine, nodeOn, reapAll, UUID } from "../../scenes/scene.ts";

const XML = domainXml({ disks: diskXml("/var/lib/images/private1.raw", "vda") });

describe("a graceful end", () => {
  test("lets QEMU end by SIGTERM, and restores everything", async () => {
    const machine = makeMachine();
    await startDomain(nodeOn(machine), XML);
    expect(await destroyDomain(nodeOn(machine), "vm1", { isGraceful: true })).toEqual({
      name: "vm1",
      did: true,
    });
    expect(readReason(nodeOn(machine), UUID)).toBe("destroyed");
    expect(snapshot(machine)).toEqual(snapshot(makeMachine()));
  });

  test("leaves a guest running that does not end in 15 s, with libvirt's message, until it is killed", async () => {
    const machine = makeMachine();
    await startDomain(nodeOn(machine), XML);
    machine.qemu = { ignoresTerm: true };
    const before = recordOf(machine);
    const fromMs = machine.nowMs;
    const error = await errorOf(destroyDomain(nodeOn(machine), "vm1", { isGraceful: true }));
    // virProcessKillPainfullyDelay() of libvirt without force: 75 times 200 ms
    expect(machine.nowMs - fromMs).toBeWithin(15_000, 15_100);
    // qemuProcessKill() of libvirt: VIR_ERR_SYSTEM_ERROR with EBUSY
    expect(error.libvirt.code).toBe(38);
    expect(error.message).toMatch(/^Failed to terminate process \d+ with SIGTERM: Device or resource busy$/);
    expect(recordOf(machine)).toEqual({ ...before, intent: "destroy" });
    expect(await getDomainState(nodeOn(machine), "vm1")).toMatchObject({ state: "running" });
    expect(await destroyDomain(nodeOn(machine), "vm1")).toEqual({ name: "vm1", did: true });
    expect(snapshot(machine)).toEqual(snapshot(makeMachine()));
  });

  test("that QEMU carries out too late is no power-off, after which the guest would start again", async () => {
    const machine = makeMachine();
    const bytes = domainXml({ lifecycle: "<on_poweroff>restart</on_poweroff>" });
    await startDomain(nodeOn(machine), bytes);
    machine.qemu = { ignoresTerm: true };
    expect((await errorOf(destroyDomain(nodeOn(machine), "vm1", { isGraceful: true }))).kind).toBe("timeout");
    // QEMU ends with the status of its own shutdown.
    machine.processes.end(machine.processes.qemuOf(UUID)?.pid ?? 0, 0);
    machine.pass(100);
    await reapAll(machine);
    expect(machine.processes.qemuOf(UUID)).toBeUndefined();
    expect(readReason(nodeOn(machine), UUID)).toBe("destroyed");
  });

  test("signals QEMU alone, which needs its helpers until it has ended", async () => {
    const machine = makeMachine();
    await startDomain(nodeOn(machine), XML);
    const { process: qemu, uid } = recordOf(machine);
    machine.processes.add({ command: "swtpm", uid });
    const node = nodeOn(machine);
    const asked: number[] = [];
    const signalProcess: typeof node.host.signalProcess = (process, signal) => {
      if (signal === "SIGTERM") asked.push(process.pid);
      return node.host.signalProcess(process, signal);
    };
    await destroyDomain({ ...node, host: { ...node.host, signalProcess } }, "vm1", { isGraceful: true });
    expect(asked).toEqual([qemu?.pid ?? 0]);
  });
});
