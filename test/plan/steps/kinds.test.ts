import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { describe as describeStep } from "../../../src/plan/steps/describe.ts";
import { inverse } from "../../../src/plan/steps/inverse.ts";
import type { Kinds } from "../../../src/plan/steps/kind.ts";
import { KINDS, step } from "../../../src/plan/steps/kinds.ts";
import { type PciStep, pciSteps } from "../../../src/plan/steps/pci.ts";
import type { Step } from "../../../src/plan/steps/step.ts";
import type { Runs } from "../../../src/run/steps/step-effects.ts";
import { EXAMPLES } from "./examples.ts";

const examples: readonly Step[] = Object.values(EXAMPLES);
const named = examples.map((each) => [each.do, each] as const);

describe("the definition of the kind", () => {
  test.each(Object.entries(EXAMPLES))("%s is that of its own steps", (name, example) => {
    expect(example.do).toBe(name as Step["do"]);
    expect(v.is(KINDS[example.do].schema, example)).toBe(true);
  });

  test.each(named)("%s takes what a record keeps of it, and nothing more", (_, example) => {
    expect(v.parse(step, JSON.parse(JSON.stringify(example)))).toEqual(example);
    expect(v.is(step, { ...example, more: 1 })).toBe(false);
  });

  test.each(named)("%s describes it in one line", (_, example) => {
    expect(describeStep(example)).toMatch(/^\S[^\n]+$/);
  });

  test.each(named)("%s has an inverse that a record can keep, or none", (_, example) => {
    const back = inverse(example);
    if (back !== undefined) expect(v.parse(step, JSON.parse(JSON.stringify(back)))).toEqual(back);
  });
});

// tsc fails if one of these compiles.
test("a kind that is not decided everywhere does not compile", () => {
  const { "bind-vfio": take, "rebind-driver": give } = pciSteps;
  const { inverse: _inverse, ...withoutInverse } = take;
  const { describe: _describe, ...withoutDescription } = take;
  const { schema: _schema, ...withoutSchema } = take;
  const { where: _where, ...withoutPlace } = take;
  const { record: _record, ...withoutRecord } = take;
  const { releases: _releases, ...withoutReleases } = take;
  const missing: readonly Kinds<PciStep>[] = [
    // @ts-expect-error: no definition
    { "rebind-driver": give },
    // @ts-expect-error: no inverse
    { "rebind-driver": give, "bind-vfio": withoutInverse },
    // @ts-expect-error: no description
    { "rebind-driver": give, "bind-vfio": withoutDescription },
    // @ts-expect-error: no schema
    { "rebind-driver": give, "bind-vfio": withoutSchema },
    // @ts-expect-error: no place of its effect
    { "rebind-driver": give, "bind-vfio": withoutPlace },
    // @ts-expect-error: nothing about the record
    { "rebind-driver": give, "bind-vfio": withoutRecord },
    // @ts-expect-error: nothing about resources that the guest releases
    { "rebind-driver": give, "bind-vfio": withoutReleases },
    // @ts-expect-error: the schema of another kind
    { "rebind-driver": give, "bind-vfio": { ...take, schema: give.schema } },
  ];
  // @ts-expect-error: no effect
  const effects: Runs<PciStep> = { "rebind-driver": () => undefined };
  expect([...missing, effects]).toHaveLength(9);
});
