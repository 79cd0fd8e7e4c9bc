import { describe, expect, test } from "bun:test";
import { readRecord } from "../../../src/state/record.ts";
import { setGuestVcpus } from "../../../src/vm/guest-system/guest-vcpus.ts";
import { runOn } from "../../cli/in-memory.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { machineWithAgent } from "../../scenes/agents.ts";
import { errorOf, nodeOn, UUID } from "../../scenes/scene.ts";
import { asked, call, domain, errorIn, text, word } from "../remote-client.ts";

// Layouts and numbers from libvirt's remote_protocol.x, words from its qemu_driver.c and qemu_agent.c, lines
// from virsh-domain.c.

const VM1 = domain("vm1", UUID);
const GUEST = 8;

const vcpu = (id: number, online: boolean, offlinable = true): object => ({
  "logical-id": id,
  online,
  "can-offline": offlinable,
});
const THREE = [vcpu(0, true, false), vcpu(1, true), vcpu(2, false)];

const machineWith = (vcpus: unknown, set: unknown = 1): Promise<Machine> =>
  machineWithAgent({ "guest-get-vcpus": vcpus, "guest-set-vcpus": set });

/** Returns what the agent was told to change. */
function told(machine: Machine): unknown[] {
  const all: { execute: string; arguments?: { vcpus?: unknown } }[] = machine.agent.asked.map((line) =>
    JSON.parse(line),
  );
  return all.filter(({ execute }) => execute === "guest-set-vcpus").map(({ arguments: args }) => args?.vcpus);
}

const setsVcpus = (list: string, state: number): string =>
  call(372, VM1 + text(list) + word(state) + word(0));
const setsCount = (count: number, flags = GUEST): string => call(199, VM1 + word(count) + word(flags));
const counts = (flags: number): string => call(200, VM1 + word(flags));
const is = (id: number, online: boolean): object => ({ "logical-id": id, online });

describe("the virtual CPUs of a guest's system", () => {
  test("are shown as sets", async () => {
    const machine = await machineWith(THREE);
    const found = [
      ["vcpus", "0-2"],
      ["online", "0-1"],
      ["offlinable", "1-2"],
    ];
    const params = found.map(([name = "", ids = ""]) => text(name) + word(7) + text(ids)).join("");
    expect((await asked(nodeOn(machine), call(371, VM1 + word(0)))).payload).toBe(word(3) + params);
    expect((await runOn(machine, "guestvcpus", "vm1")).out).toBe(
      "vcpus          : 0-2\nonline         : 0-1\nofflinable     : 1-2\n\n",
    );
  });

  test("are counted", async () => {
    const machine = await machineWith(THREE);
    expect((await asked(nodeOn(machine), counts(GUEST))).payload).toBe(word(2));
    expect((await asked(nodeOn(machine), counts(GUEST | 4))).payload).toBe(word(3));
    expect((await runOn(machine, "vcpucount", "vm1", "--guest")).out).toBe("2\n\n");
    expect((await runOn(machine, "vcpucount", "vm1", "--guest", "--maximum")).out).toBe("3\n\n");
  });

  test("are switched, and asked for again as long as the agent has not switched all", async () => {
    const machine = await machineWith([vcpu(0, true, false), vcpu(1, false), vcpu(2, false)]);
    expect(errorIn(await asked(nodeOn(machine), setsVcpus("1-2", 1)))).toBeUndefined();
    expect(told(machine)).toEqual([[is(1, true), is(2, true)], [is(2, true)]]);
    const { code, out } = await runOn(machine, "guestvcpus", "vm1", "--cpulist", "1", "--disable");
    expect([code, out, told(machine).at(-1)]).toEqual([0, "", [is(1, false)]]);
  });

  test.each([
    ["one that must stay online", "0", 0, 84, "Operation not supported: vCPU '0' is not offlinable"],
    ["missing ones", "0,5-6", 1, 8, "invalid argument: guest is missing vCPUs '5-6'"],
    ["a list that is none", "x", 1, 8, "invalid argument: Failed to parse bitmap 'x'"],
    ["numbers that none has", "4096", 1, 8, "invalid argument: Failed to parse bitmap '4096'"],
    ["another state", "0", 2, 8, "unsupported state value"],
  ])("are not switched for %s", async (_, ...[list, state, code, message]) => {
    const machine = await machineWith(THREE);
    const error = errorIn(await asked(nodeOn(machine), setsVcpus(list, state)));
    expect([error?.code, error?.message.endsWith(message), told(machine)]).toEqual([code, true, []]);
  });

  test.each([[0], [3], ["1"]])(
    "are not switched forever for an agent that says it has switched %j of one",
    async (number) => {
      const machine = await machineWith([vcpu(1, false)], number);
      expect(errorIn(await asked(nodeOn(machine), setsVcpus("1", 1)))?.message).toContain("is malformed");
      expect(told(machine).length).toBe(1);
    },
  );

  // The agent switches one every 4 s.
  test.each([
    ["the time of one answer", "-1", "0-8", 3, true],
    ["5 s for each if an answer has no limit", "-2", "0-2", 3, false],
    ["60 s at most if an answer has no limit", "-2", "0-98", 16, true],
  ])("are switched in %s", async (_, ...[seconds, ids, count, isLate]) => {
    const machine = await machineWith(Array.from({ length: 100 }, (__, id) => vcpu(id, false)));
    await runOn(machine, "guest-agent-timeout", "vm1", "--timeout", seconds);
    const { connect } = machine.agent;
    machine.agent.connect = () => {
      machine.pass(4000);
      return connect.call(machine.agent);
    };
    const { err } = await runOn(machine, "guestvcpus", "vm1", "--cpulist", ids, "--enable");
    expect([told(machine).length, err.includes("not responding")]).toEqual([count, isLate]);
  });

  test("are not switched any more for a client that has gone, if one answer has no limit", async () => {
    const machine = await machineWith([vcpu(0, true, false), vcpu(1, false), vcpu(2, false)]);
    await runOn(machine, "guest-agent-timeout", "vm1", "--timeout", "-2");
    const node = { ...nodeOn(machine), hasCallerLeft: () => told(machine).length > 0 };
    const error = await errorOf(setGuestVcpus(node, "vm1", { ids: [1, 2], isOnline: true }));
    expect([error.kind, told(machine).length]).toEqual(["timeout", 1]);
  });

  test.each([
    ["not a list", {}],
    ["a number that no system has", [vcpu(4096, true)]],
    ["a state that is none", [{ "logical-id": 0, online: "yes" }]],
    ["one of them twice", [vcpu(0, true), vcpu(0, true)]],
  ])("are not shown for an answer with %s", async (_, answer) => {
    const machine = await machineWith(answer);
    expect(errorIn(await asked(nodeOn(machine), call(371, VM1 + word(0))))?.message).toContain(
      "Cannot read the agent's answer to guest-get-vcpus",
    );
  });
});

describe("VIR_DOMAIN_VCPU_GUEST", () => {
  test("has the first ones used or not used that can be, but never takes the first of all", async () => {
    const machine = await machineWith([vcpu(0, true), vcpu(1, false)]);
    machine.qemu = { ...machine.qemu, answers: new Map([["query-cpus-fast", vcpus(2)]]) };
    expect((await runOn(machine, "setvcpus", "vm1", "2", "--guest")).code).toBe(0);
    machine.agent.answers = new Map([
      ["guest-get-vcpus", { return: [vcpu(0, true), vcpu(1, true)] }],
      ["guest-set-vcpus", { return: 1 }],
    ]);
    expect(errorIn(await asked(nodeOn(machine), setsCount(1)))).toBeUndefined();
    expect(told(machine)).toEqual([[is(1, true)], [is(1, false)]]);
  });

  test.each([
    [
      "more than are enabled",
      3,
      THREE,
      8,
      "requested vcpu count is greater than the count of enabled vcpus in the domain: 3 > 2",
    ],
    ["more than the system has", 2, [vcpu(0, true)], 1, "guest agent reports less cpu than requested"],
    [
      "fewer than must be used",
      1,
      [vcpu(0, true, false), vcpu(1, true, false)],
      8,
      "Cannot offline enough CPUs",
    ],
    ["one that is offline and cannot be", 1, [vcpu(0, false, false)], 1, "is malformed"],
  ])("refuses %s", async (_, ...[count, found, code, message]) => {
    const machine = await machineWith(found);
    machine.qemu = { ...machine.qemu, answers: new Map([["query-cpus-fast", vcpus(2)]]) };
    const error = errorIn(await asked(nodeOn(machine), setsCount(count)));
    expect([error?.code, error?.message.endsWith(message), told(machine)]).toEqual([code, true, []]);
  });

  test("is refused with the definition, to a connection for reading, and for a domain that is off", async () => {
    const machine = await machineWith(THREE);
    expect(errorIn(await asked(nodeOn(machine), setsCount(1, GUEST | 2)))).toMatchObject({
      code: 8,
      message: "Flags 'VIR_DOMAIN_VCPU_GUEST' and 'VIR_DOMAIN_AFFECT_CONFIG' are mutually exclusive",
    });
    // VIR_DOMAIN_VCPU_MAXIMUM is 4, VIR_DOMAIN_AFFECT_LIVE 1
    for (const flags of [GUEST | 4, 4, 4 | 1])
      expect(errorIn(await asked(nodeOn(machine), setsCount(1, flags)))).toMatchObject({
        code: 8,
        message: "Flag 'VIR_DOMAIN_AFFECT_CONFIG' is required by flag 'VIR_DOMAIN_VCPU_MAXIMUM'",
      });
    expect(errorIn(await asked(nodeOn(machine), counts(GUEST), 1))).toMatchObject({
      code: 29,
      message: "operation forbidden: read only access prevents virDomainGetVcpusFlags",
    });
    expect((await runOn(machine, "destroy", "vm1")).code).toBe(0);
    expect(errorIn(await asked(nodeOn(machine), counts(GUEST)))).toMatchObject({
      code: 8,
      message:
        "invalid argument: vCPU count provided by the guest agent can only be requested for live domains",
    });
    expect(errorIn(await asked(nodeOn(machine), setsCount(1)))).toMatchObject({
      code: 55,
      message: "Requested operation is not valid: domain is not running",
    });
  });
});

/** Answer to query-cpus-fast. */
function vcpus(count: number): object[] {
  return Array.from({ length: count }, (_, at) => ({
    "cpu-index": at,
    "thread-id": 100 + at,
    "qom-path": `/cpu${at}`,
    props: {},
    target: "x86_64",
  }));
}

test("VIR_DOMAIN_VCPU_HOTPLUGGABLE is refused for a definition, whose virtual CPUs are not set separately", async () => {
  const machine = await machineWith(THREE);
  expect(errorIn(await asked(nodeOn(machine), setsCount(1, 16 | 2)))?.code).toBe(74);
  // The test's QEMU has no slots: it is asked for them.
  expect(errorIn(await asked(nodeOn(machine), setsCount(1, 16 | 1)))?.message).toContain(
    "query-hotpluggable-cpus",
  );
});

describe("the time for the agent's answers", () => {
  const sets = (seconds: number): string => call(420, VM1 + word(seconds) + word(0));
  const silent = async (machine: Machine): Promise<readonly number[]> => {
    machine.agent.silent = new Set(["guest-get-vcpus"]);
    expect(errorIn(await asked(nodeOn(machine), call(371, VM1 + word(0))))?.code).toBe(86);
    return machine.agent.waited;
  };

  test.each([
    [7, 7000],
    [-1, 5000],
  ])("is %i s as set by a client, until the guest ends", async (seconds, ms) => {
    const machine = await machineWith(THREE);
    expect((await asked(nodeOn(machine), sets(seconds))).payload).toBe(word(0));
    expect((await silent(machine)).at(-1)).toBe(ms);
  });

  test("is also that for a silent agent to say that it is there, and no time for 0", async () => {
    const machine = await machineWith(THREE);
    machine.agent.answers = undefined;
    const cases: readonly (readonly [number, number[]])[] = [
      [2, [2000]],
      [0, []],
    ];
    for (const [seconds, waited] of cases) {
      machine.agent.waited.length = 0;
      await asked(nodeOn(machine), sets(seconds));
      const { code, err } = await runOn(machine, "guestvcpus", "vm1");
      expect([code, machine.agent.waited]).toEqual([6, waited]);
      expect(err).toContain("or wait longer: svirt guest-agent-timeout vm1\n");
    }
  });

  test("is that for the addresses of interfaces", async () => {
    const machine = await machineWith(THREE);
    machine.agent.silent = new Set(["guest-network-get-interfaces"]);
    await asked(nodeOn(machine), sets(7));
    expect((await runOn(machine, "domifaddr", "vm1", "--source", "agent")).code).toBe(6);
    expect(machine.agent.waited.at(-1)).toBe(7000);
  });

  /** QEMU's answers by which the guest has the agent's channel open so many times, and then no longer. */
  const isOpen = (times: number): ReadonlyMap<string, unknown> => {
    let left = times;
    return Object.assign(new Map<string, unknown>(), {
      get: (command: string): unknown =>
        command === "query-chardev"
          ? [{ label: "charchannel0", filename: "", "frontend-open": left-- > 0 }]
          : undefined,
    });
  };

  test("has no limit as long as an agent is connected", async () => {
    const machine = await machineWith(THREE);
    await asked(nodeOn(machine), sets(-2));
    machine.agent.silent = new Set(["guest-get-vcpus"]);
    machine.qemu = { ...machine.qemu, answers: isOpen(2) };
    machine.agent.waited.length = 0;
    expect((await runOn(machine, "guestvcpus", "vm1")).code).toBe(6);
    // The answer to guest-sync-delimited, and three checks.
    expect(machine.agent.waited).toEqual([5000, 5000, 5000, 5000]);
    expect([...machine.locks]).toEqual([]);
  });

  test("ends if QEMU does not say whether an agent is connected", async () => {
    const machine = await machineWith(THREE);
    await asked(nodeOn(machine), sets(-2));
    machine.agent.silent = new Set(["guest-get-vcpus"]);
    for (const wrong of [{ refuses: "query-chardev" }, { answers: new Map([["query-chardev", {}]]) }]) {
      machine.qemu = { ...machine.qemu, ...wrong };
      expect((await runOn(machine, "guestvcpus", "vm1")).code).toBe(6);
    }
  });

  test("has no limit as long as the client is connected", async () => {
    const machine = await machineWith(THREE);
    await asked(nodeOn(machine), sets(-2));
    machine.agent.silent = new Set(["guest-get-vcpus"]);
    machine.qemu = { ...machine.qemu, answers: isOpen(1000) };
    expect(errorIn(await asked(nodeOn(machine), call(371, VM1 + word(0))))?.code).toBe(86);
    expect(Math.max(...machine.agent.waited)).toBe(5000);
    expect([...machine.locks]).toEqual([]);
  });

  test("is the default again in the next guest", async () => {
    const machine = await machineWith(THREE);
    const set = await runOn(machine, "guest-agent-timeout", "vm1", "--timeout", "9");
    expect([set.code, set.out]).toEqual([0, ""]);
    expect([(await silent(machine)).at(-1), readRecord(nodeOn(machine), UUID)?.agentTimeout]).toEqual([
      9000, 9,
    ]);
    expect((await runOn(machine, "destroy", "vm1")).code).toBe(0);
    expect((await runOn(machine, "start", "vm1")).code).toBe(0);
    expect(readRecord(nodeOn(machine), UUID)?.agentTimeout).toBeUndefined();
  });

  test("is not less than -2, and not of a domain that is off", async () => {
    const machine = await machineWith(THREE);
    expect(errorIn(await asked(nodeOn(machine), sets(-3)))).toMatchObject({
      code: 8,
      message: "invalid argument: guest agent timeout '-3' is less than the minimum '-2'",
    });
    await runOn(machine, "destroy", "vm1");
    expect(errorIn(await asked(nodeOn(machine), sets(3)))?.code).toBe(55);
  });
});

test("an identity changes no right of a connection", async () => {
  const machine = await machineWith(THREE);
  const identity = call(419, word(1) + text("user-name") + word(7) + text("root") + word(0));
  expect(errorIn(await asked(nodeOn(machine), identity, 1))).toBeUndefined();
  const other = call(419, word(1) + text("x") + word(7) + text("root") + word(0));
  expect(errorIn(await asked(nodeOn(machine), other))).toMatchObject({
    code: 74,
    message: "argument unsupported: parameter 'x' not supported",
  });
});
