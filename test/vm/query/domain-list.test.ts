import { describe, expect, test } from "bun:test";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { getIdentity } from "../../../src/vm/query/domain-identity.ts";
import { listDomains } from "../../../src/vm/query/domain-list.ts";
import { recoverBefore } from "../../../src/vm/recover/recover-before.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { domainXml, errorOf, makeMachine, nodeOn, OTHER, UUID } from "../../scenes/scene.ts";

/** Returns a machine with vm1, which runs and is defined, and vm2, which is only defined. */
async function machineWithTwo(): Promise<Machine> {
  const machine = makeMachine();
  await defineDomain(nodeOn(machine), domainXml());
  await defineDomain(nodeOn(machine), domainXml({ name: "vm2", uuid: OTHER }));
  await startDomain(nodeOn(machine), domainXml());
  return machine;
}

async function list(which: "active" | "inactive" | "all", wantsUuids = false): Promise<unknown> {
  const instance = nodeOn(await machineWithTwo());
  const { running } = await recoverBefore(instance, "all");
  return await listDomains(instance, { running, which, wantsUuids });
}

describe("listDomains()", () => {
  const running = { id: 1, name: "vm1", uuid: UUID, state: "running", monitor: "answers" } as const;
  const off = { id: undefined, name: "vm2", uuid: undefined, state: "shut off" } as const;

  test("lists the domains that run, those that are off, or both", async () => {
    expect(await list("active")).toEqual([running]);
    expect(await list("inactive")).toEqual([off]);
    expect(await list("all")).toEqual([running, off]);
  });

  test("reads the UUIDs of domains that are off if they are requested", async () => {
    expect(await list("all", true)).toEqual([running, { ...off, uuid: OTHER }]);
  });
});

describe("recoverBefore()", () => {
  test("returns no guest to an ordinary user if it is for root alone", async () => {
    const machine = await machineWithTwo();
    const instance = nodeOn(machine);
    expect((await recoverBefore(instance, ["vm1"], { isForRootAlone: true })).running).toHaveLength(1);
    const host = Object.create(instance.host);
    host.getUid = () => 1000;
    expect(await recoverBefore({ ...instance, host }, ["vm1"], { isForRootAlone: true })).toEqual({
      running: [],
      errors: [],
      kept: [],
    });
  });
});

describe("getIdentity()", () => {
  test("returns the id of a guest that runs alone", async () => {
    const instance = nodeOn(await machineWithTwo());
    expect(getIdentity(instance, UUID)).toEqual({ id: 1, name: "vm1", uuid: UUID });
    expect(getIdentity(instance, "vm2")).toEqual({ id: undefined, name: "vm2", uuid: OTHER });
  });

  test("throws for an unknown domain", async () => {
    const unknown = errorOf((async () => getIdentity(nodeOn(makeMachine()), "vm1"))());
    expect((await unknown).kind).toBe("not-found");
  });
});
