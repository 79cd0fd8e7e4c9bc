import { describe, expect, test } from "bun:test";
import { readReason } from "../../../src/state/reason.ts";
import { readRecord } from "../../../src/state/record.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { getDomainState } from "../../../src/vm/query/domain-state.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { snapshot } from "../../memory-host/machine.ts";
import { diskXml, domainXml, errorOf, makeMachine, nodeOn, UUID } from "../../scenes/scene.ts";

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

  test("leaves a guest running that does not end, with libvirt's message, until it is killed", async () => {
    const machine = makeMachine();
    await startDomain(nodeOn(machine), XML);
    machine.qemu = { ignoresTerm: true };
    const before = readRecord(nodeOn(machine), UUID);
    const error = await errorOf(destroyDomain(nodeOn(machine), "vm1", { isGraceful: true }));
    // qemuProcessKill() of libvirt: VIR_ERR_SYSTEM_ERROR with EBUSY
    expect(error.libvirt.code).toBe(38);
    expect(error.message).toMatch(/^Failed to terminate process \d+ with SIGTERM: Device or resource busy$/);
    expect(readRecord(nodeOn(machine), UUID)).toEqual(before);
    expect(await getDomainState(nodeOn(machine), "vm1")).toMatchObject({ state: "running" });
    expect(await destroyDomain(nodeOn(machine), "vm1")).toEqual({ name: "vm1", did: true });
    expect(snapshot(machine)).toEqual(snapshot(makeMachine()));
  });
});
