import { describe, expect, test } from "bun:test";
import {
  formatChange,
  needsRecord,
  planSettlement,
  type RecordedChange,
} from "../../../src/plan/change/object-change.ts";
import type { Step } from "../../../src/plan/steps/step.ts";

const RULES: Step = { do: "set-network-rules", uuid: "u", script: "" };
const ACTIVE: Step = { do: "replace-text", path: "/run/a.xml", to: "<a/>" };
const SERVER: Step = { do: "end-server", network: "a", folder: "/run/a", argument: "-a" };
const NO_RULES: Step = { do: "remove-network-rules", uuid: "u" };
const steps = [RULES, ACTIVE, SERVER];

describe("planSettlement()", () => {
  const of = (commit: RecordedChange["commit"], hasEffect: boolean) => {
    const { direction, steps: left } = planSettlement({ commit, steps }, () => hasEffect);
    return [direction, ...left];
  };

  test("undoes the steps up to the decisive one, last first, as long as that has no effect", () => {
    expect(of(1, false)).toEqual([
      "undo",
      { do: "replace-text", path: "/run/a.xml", from: "<a/>" },
      NO_RULES,
    ]);
  });

  test("finishes the decisive step and those after it once that has an effect", () => {
    expect(of(1, true)).toEqual(["finish", ACTIVE, SERVER]);
  });

  test("finishes or undoes all steps of a change that the record or its removal decides", () => {
    expect(of("begin", false)).toEqual(["finish", ...steps]);
    expect(of("end", true)).toEqual([
      "undo",
      { do: "replace-text", path: "/run/a.xml", from: "<a/>" },
      NO_RULES,
    ]);
  });
});

test("needsRecord() is false of one step on a file, or a reset, alone or after steps that are never undone", () => {
  const reset: Step = { do: "reset-device", device: "0000:06:00.0" };
  const note: Step = { do: "remove-file", path: "/run/notes/a" };
  const of = (some: readonly Step[], commit = 0): boolean => !needsRecord({ steps: some, commit });
  expect([[ACTIVE], [reset], [SERVER], [ACTIVE, SERVER], []].map((some) => of(some))).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
  expect([of([note, ACTIVE], 1), of([note, ACTIVE]), of([RULES, ACTIVE], 1)]).toEqual([true, false, false]);
});

test("formatChange() says after the decisive step what becomes of an interruption", () => {
  expect(
    formatChange({ commit: 1, steps })
      .split("\n")
      .map((line) => line.slice(0, 40)),
  ).toEqual([
    "  1  set the packet rules of the network",
    "  2  write /run/a.xml",
    "     -- an interruption before step 2 is",
    "  3  end the DHCP and DNS server of a, a",
    "",
  ]);
  expect(formatChange({ commit: "end", steps: [RULES] })).toContain("-- an interruption is undone --");
});
