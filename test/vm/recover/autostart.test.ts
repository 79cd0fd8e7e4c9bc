import { describe, expect, test } from "bun:test";
import { markAutostart } from "../../../src/vm/define/autostart.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { startAutostarted } from "../../../src/vm/recover/autostart.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { diskXml, domainXml, errorOf, makeMachine, nodeOn, OTHER } from "../../scenes/scene.ts";

describe("startAutostarted()", () => {
  test("starts the marked domains that are off, and returns the error of one that cannot start", async () => {
    const machine = makeMachine();
    const instance = nodeOn(machine);
    const third = "99999999-2222-4333-8444-00000000000a";
    const broken = diskXml("/var/lib/images/missing.raw", "vda");
    await defineDomain(instance, domainXml({ disks: broken }));
    await defineDomain(instance, domainXml({ name: "vm2", uuid: OTHER }));
    await defineDomain(instance, domainXml({ name: "vm3", uuid: third }));
    markAutostart(instance, "vm1", true);
    markAutostart(instance, OTHER, true);
    markAutostart(instance, "vm3", true);
    markAutostart(instance, "vm3", false);
    const first = await startAutostarted(nodeOn(machine));
    expect(first.names).toEqual(["vm2"]);
    expect(first.errors.map(({ message }) => message)).toEqual([expect.stringContaining("missing.raw")]);
    expect((await startAutostarted(nodeOn(machine))).names).toEqual([]);
  });
});

describe("markAutostart()", () => {
  test("refuses a domain without a definition", async () => {
    const machine = makeMachine();
    await startDomain(nodeOn(machine), domainXml());
    const error = await errorOf((async () => markAutostart(nodeOn(machine), "vm1", true))());
    expect(error).toMatchObject({
      kind: "wrong-state",
      message: "Requested operation is not valid: cannot set autostart for transient domain 'vm1'",
    });
  });
});
