import { describe, expect, test } from "bun:test";
import { isAutostarted } from "../../../src/state/definitions.ts";
import { markAutostart } from "../../../src/vm/define/autostart.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { findDomain } from "../../../src/vm/guest/find-domain.ts";
import { startAutostarted } from "../../../src/vm/recover/autostart-domains.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { runOn } from "../../cli/in-memory.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { asked, call, domain, errorIn, word } from "../../rpc/remote-client.ts";
import {
  diskXml,
  domainXml,
  errorOf,
  makeMachine,
  nodeOn,
  OTHER,
  sweepAll,
  UUID,
} from "../../scenes/scene.ts";
import { strikeEverywhere, type Work } from "../../scenes/strikes.ts";

describe("startAutostarted()", () => {
  test("starts the marked domains that are off, and returns the error of one that cannot start", async () => {
    const machine = makeMachine();
    const instance = nodeOn(machine);
    const third = "99999999-2222-4333-8444-00000000000a";
    const broken = diskXml("/var/lib/images/missing.raw", "vda");
    await defineDomain(instance, domainXml({ disks: broken }));
    await defineDomain(instance, domainXml({ name: "vm2", uuid: OTHER }));
    await defineDomain(instance, domainXml({ name: "vm3", uuid: third }));
    markAutostart(instance, "vm1", { when: "always", wanted: true });
    markAutostart(instance, OTHER, { when: "always", wanted: true });
    markAutostart(instance, "vm3", { when: "always", wanted: true });
    markAutostart(instance, "vm3", { when: "always", wanted: false });
    const first = await startAutostarted(nodeOn(machine));
    expect(first.names).toEqual(["vm2"]);
    expect(first.errors.map(({ message }) => message)).toEqual([expect.stringContaining("missing.raw")]);
    expect((await startAutostarted(nodeOn(machine))).names).toEqual([]);
  });
});

describe("a mark for the next boot", () => {
  const isOn = (machine: Machine, name: string): boolean => isAutostarted(nodeOn(machine), name, "once");

  test("starts the domain once, also one that is marked for each boot, and is gone if the start fails", async () => {
    const machine = makeMachine();
    const broken = diskXml("/var/lib/images/missing.raw", "vda");
    await defineDomain(nodeOn(machine), domainXml({ disks: broken }));
    await defineDomain(nodeOn(machine), domainXml({ name: "vm2", uuid: OTHER }));
    for (const name of ["vm1", "vm2"]) {
      expect((await runOn(machine, "autostart", name, "--once")).out).toBe(
        `Domain '${name}' marked as autostarted on next boot\n\n`,
      );
    }
    expect((await runOn(machine, "dominfo", "vm2")).out).toContain(
      "Autostart:      disable\nAutostart Once: enable\n",
    );
    const { errors, names } = await startAutostarted(nodeOn(machine));
    expect([names, errors.length]).toEqual([["vm2"], 1]);
    expect([isOn(machine, "vm1"), isOn(machine, "vm2")]).toEqual([false, false]);
    await destroyDomain(nodeOn(machine), "vm2");
    expect((await startAutostarted(nodeOn(machine))).names).toEqual([]);
  });

  test("is removed by --disable and undefine, and does not concern the other mark", async () => {
    const machine = makeMachine();
    await defineDomain(nodeOn(machine), domainXml());
    await runOn(machine, "autostart", "vm1");
    await runOn(machine, "autostart", "vm1", "--once");
    expect((await runOn(machine, "autostart", "vm1", "--once", "--disable")).out).toBe(
      "Domain 'vm1' unmarked as autostarted on next boot\n\n",
    );
    expect([isOn(machine, "vm1"), isAutostarted(nodeOn(machine), "vm1")]).toEqual([false, true]);
    await runOn(machine, "autostart", "vm1", "--once");
    expect((await runOn(machine, "undefine", "vm1")).code).toBe(0);
    expect(isOn(machine, "vm1")).toBe(false);
  });

  test("outlives a kill during the start, which the next call repeats or finds done", async () => {
    const make = async (): Promise<Machine> => {
      const machine = makeMachine();
      await defineDomain(nodeOn(machine), domainXml());
      markAutostart(nodeOn(machine), "vm1", { when: "once", wanted: true });
      return machine;
    };
    const work: Work = async (node) => {
      const [error] = (await startAutostarted(node)).errors;
      if (error !== undefined) throw error;
    };
    await strikeEverywhere({ name: "start", prepare: make, work }, "crash", async (machine, place) => {
      await sweepAll(machine);
      await startAutostarted(nodeOn(machine));
      const { guest } = findDomain(nodeOn(machine), "vm1");
      expect([place, guest?.state, isOn(machine, "vm1")]).toEqual([place, "running", false]);
    });
  });

  test("is set and read by clients", async () => {
    const machine = makeMachine();
    await defineDomain(nodeOn(machine), domainXml());
    const VM1 = domain("vm1", UUID);
    expect(errorIn(await asked(nodeOn(machine), call(450, VM1 + word(1))))).toBeUndefined();
    expect((await asked(nodeOn(machine), call(449, VM1))).payload).toBe(word(1));
    expect((await asked(nodeOn(machine), call(15, VM1))).payload).toBe(word(0));
  });
});

describe("markAutostart()", () => {
  test("refuses a domain without a definition", async () => {
    const machine = makeMachine();
    await startDomain(nodeOn(machine), domainXml());
    const error = await errorOf(
      (async () => markAutostart(nodeOn(machine), "vm1", { when: "always", wanted: true }))(),
    );
    expect(error).toMatchObject({
      kind: "wrong-state",
      message: "Requested operation is not valid: cannot set autostart for transient domain 'vm1'",
    });
  });
});
