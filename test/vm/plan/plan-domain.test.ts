import { describe, expect, test } from "bun:test";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { planDomain } from "../../../src/vm/plan/plan-domain.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { snapshot } from "../../memory-host/machine.ts";
import { diskXml, domainXml, errorOf, makeMachine, nodeOn } from "../../scenes/scene.ts";

const XML = domainXml({ disks: diskXml("/var/lib/images/private1.raw", "vda") });

describe("planDomain()", () => {
  test("returns the same steps for a definition and for its XML, and changes nothing", async () => {
    const machine = makeMachine();
    await defineDomain(nodeOn(machine), XML);
    const before = snapshot(machine);
    const { runningName, steps } = await planDomain(nodeOn(machine), { key: "vm1" }, "start");
    const ofXml = await planDomain(nodeOn(machine), { xml: XML }, "start");
    expect(runningName).toBeUndefined();
    expect(steps.map((step) => step.do)).toEqual(ofXml.steps.map((step) => step.do));
    expect(steps.map((step) => step.do)).toContain("set-label");
    expect(snapshot(machine)).toEqual(before);
  });

  test("returns no step for the start of a guest that runs, and those of its end", async () => {
    const machine = makeMachine();
    await startDomain(nodeOn(machine), XML);
    expect(await planDomain(nodeOn(machine), { key: "vm1" }, "start")).toEqual({
      runningName: "vm1",
      steps: [],
    });
    expect((await planDomain(nodeOn(machine), { xml: XML }, "start")).runningName).toBe("vm1");
    const { steps } = await planDomain(nodeOn(machine), { key: "vm1" }, "end");
    expect(steps.length).toBeGreaterThan(0);
  });

  test("throws for an unknown domain", async () => {
    const error = await errorOf(planDomain(nodeOn(makeMachine()), { key: "vm1" }, "start"));
    expect(error.kind).toBe("not-found");
  });
});
