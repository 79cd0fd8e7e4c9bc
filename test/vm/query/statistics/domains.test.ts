import { describe, expect, test } from "bun:test";
import { readRecords } from "../../../../src/state/record.ts";
import { defineDomain } from "../../../../src/vm/define/define.ts";
import { type Filter, listDomainStatistics } from "../../../../src/vm/query/statistics/domains.ts";
import { startDomain } from "../../../../src/vm/start/start.ts";
import type { Machine } from "../../../memory-host/machine.ts";
import { domainXml, errorOf, makeMachine, nodeOn, OTHER, UUID } from "../../../scenes/scene.ts";

/** Returns a machine with a transient guest that runs, vm1, and a domain that is off, vm2. */
async function machineWithTwo(): Promise<Machine> {
  const machine = makeMachine();
  await startDomain(nodeOn(machine), domainXml());
  await defineDomain(nodeOn(machine), domainXml({ name: "vm2", uuid: OTHER }));
  return machine;
}

function listOn(
  machine: Machine,
  asked: { readonly keys?: readonly string[]; readonly filters?: readonly Filter[] },
) {
  const node = nodeOn(machine);
  return listDomainStatistics(node, {
    keys: asked.keys ?? [],
    running: readRecords(node),
    filters: new Set(asked.filters),
    groups: ["state"],
    backing: false,
  });
}

describe("listDomainStatistics()", () => {
  test("returns the entries of all domains, those that run first", async () => {
    expect(await listOn(await machineWithTwo(), {})).toEqual([
      {
        name: "vm1",
        uuid: UUID,
        id: 1,
        entries: [
          ["state.state", 1],
          ["state.reason", 1],
        ],
      },
      {
        name: "vm2",
        uuid: OTHER,
        id: undefined,
        entries: [
          ["state.state", 5],
          ["state.reason", 0],
        ],
      },
    ]);
  });

  test("returns domains that match one filter of each kind", async () => {
    const machine = await machineWithTwo();
    const names = async (...filters: readonly Filter[]): Promise<string[]> =>
      (await listOn(machine, { filters })).map(({ name }) => name);
    expect(await names("inactive")).toEqual(["vm2"]);
    expect(await names("running", "shutoff")).toEqual(["vm1", "vm2"]);
    expect(await names("active", "persistent")).toEqual([]);
  });

  test("has an error in the place of a guest whose QEMU does not answer", async () => {
    const machine = await machineWithTwo();
    machine.qemu = { monitor: "silent" };
    const [mute, other] = await listOn(machine, {});
    expect(mute).toMatchObject({ name: "vm1", entries: [], error: { kind: "timeout" } });
    expect(other?.error).toBeUndefined();
  });

  test("throws for an unknown domain", async () => {
    expect((await errorOf(listOn(await machineWithTwo(), { keys: ["vm3"] }))).kind).toBe("not-found");
  });
});
