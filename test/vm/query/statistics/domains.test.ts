import { describe, expect, test } from "bun:test";
import { readRecords } from "../../../../src/state/record.ts";
import { defineDomain } from "../../../../src/vm/define/define.ts";
import { type Filter, listDomainStatistics } from "../../../../src/vm/query/statistics/domains.ts";
import type { Group } from "../../../../src/vm/query/statistics/list.ts";
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

  test.each([
    ["long work", 1000],
    ["a clock that is set back", -1000],
  ])("lets other work run between domains that are off, after %s", async (_, stepMs) => {
    const machine = await machineWithTwo();
    for (const at of [3, 4, 5]) {
      const uuid = OTHER.replace(/.$/, String(at));
      await defineDomain(nodeOn(machine), domainXml({ name: `vm${at}`, uuid }));
    }
    const node = nodeOn(machine);
    let now = 0;
    const order: string[] = [];
    const host: typeof node.host = {
      ...node.host,
      // Each look at the clock finds that much time has passed.
      nowMs: () => {
        now += stepMs;
        return now;
      },
      sleep: async () => void order.push("a turn"),
      // The reason for which a domain is off.
      readText: (path) => {
        if (path.includes("/ended/")) order.push("a domain");
        return node.host.readText(path);
      },
    };
    const [groups, filters]: [Group[], Set<Filter>] = [["state"], new Set()];
    const options = { keys: [], running: [], filters, groups, backing: false };
    const list = await listDomainStatistics({ ...node, host }, options);
    expect(list.map(({ name }) => name)).toEqual(["vm2", "vm3", "vm4", "vm5"]);
    expect(order).toEqual(list.flatMap(() => ["a turn", "a domain"]));
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

  const kvm = (target: string, stats: readonly object[]) => [
    { provider: "kvm", "qom-path": "/c", stats, target },
  ];
  const thread = (index: number) => ({ "cpu-index": index, "thread-id": 1, "qom-path": "/c" });
  const schema = (name: string) => [
    { provider: "kvm", target: "vcpu", stats: [{ name, type: "cumulative" }] },
  ];
  test.each<[string, readonly object[], string, unknown]>([
    ["a number that is none", [thread(0)], "exits", Number.POSITIVE_INFINITY],
    ["a longer key than clients take", [thread(0)], "e".repeat(90), 1],
    ["more vCPUs than any machine has", Array.from({ length: 5000 }, (_, at) => thread(at)), "exits", 1],
  ])("has an error in the place of a guest whose QEMU answers %s", async (...[, threads, name, value]) => {
    const machine = await machineWithTwo();
    machine.qemu = {
      answers: new Map<string, unknown>([
        ["query-cpus-fast", threads],
        ["query-stats-schemas", schema(name)],
        ["query-stats", kvm("vcpu", [{ name, value }])],
      ]),
    };
    const node = nodeOn(machine);
    const [lying, other] = await listDomainStatistics(node, {
      ...{ keys: [], running: readRecords(node), filters: new Set<Filter>() },
      ...{ groups: ["cpu-total", "vcpu"], backing: false },
    });
    expect(lying).toMatchObject({ name: "vm1", entries: [], error: { kind: "failed" } });
    expect(other?.error).toBeUndefined();
  });

  test("counts each vCPU once, though QEMU gives many threads one path with all its counters", async () => {
    const machine = await machineWithTwo();
    const stats = Array.from({ length: 1000 }, (_, at) => ({ name: `c${at}`, value: 1 }));
    const names = stats.map(({ name }) => ({ name, type: "cumulative" }));
    machine.qemu = {
      answers: new Map<string, unknown>([
        ["query-cpus-fast", Array.from({ length: 4000 }, (_, at) => thread(at))],
        ["query-stats-schemas", [{ provider: "kvm", target: "vcpu", stats: names }]],
        ["query-stats", kvm("vcpu", stats)],
      ]),
    };
    const node = nodeOn(machine);
    const [lying] = await listDomainStatistics(node, {
      ...{ keys: [], running: readRecords(node), filters: new Set<Filter>() },
      ...{ groups: ["vcpu"], backing: false },
    });
    expect(lying?.entries.length).toBeLessThan(1010);
  });

  test("throws for an unknown domain", async () => {
    expect((await errorOf(listOn(await machineWithTwo(), { keys: ["vm3"] }))).kind).toBe("not-found");
  });
});
