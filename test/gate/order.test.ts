import { expect, test } from "bun:test";
import type { Candidate } from "../../scripts/gate/plan.ts";
import { orderFiles } from "../../scripts/gate/schedule.ts";
import { shuffle } from "../../scripts/gate/shuffle.ts";

const TWENTY = Array.from({ length: 20 }, (_, at) => at);

test("an order depends on the seed alone, and keeps every item", () => {
  expect(shuffle(TWENTY, 7)).toEqual(shuffle(TWENTY, 7));
  expect(shuffle(TWENTY, 7)).not.toEqual(shuffle(TWENTY, 8));
  expect(shuffle(TWENTY, 7).toSorted((one, other) => one - other)).toEqual(TWENTY);
});

test("every item comes first with some seed, and about as often as any other", () => {
  const firsts = Array.from({ length: 400 }, (_, seed) => shuffle([0, 1, 2, 3], seed)[0]);
  for (const item of [0, 1, 2, 3]) {
    const count = firsts.filter((first) => first === item).length;
    expect(count).toBeGreaterThan(60);
    expect(count).toBeLessThan(140);
  }
});

test("files without which the gate fails come first, then a file that one node would run alone at the end", () => {
  const files: readonly Candidate[] = [
    ...TWENTY.map((at) => ({ file: `w${at}`, seconds: 10, waited: 0, reason: "waiting" as const })),
    { file: "long", seconds: 300, waited: 0, reason: "waiting" },
    { file: "due", seconds: 10, waited: 3, reason: "due" },
    { file: "always", seconds: 10, waited: 0, reason: "always" },
  ];
  const order = orderFiles(files, 3, 2).map(({ file }) => file);
  expect(order.slice(0, 2).toSorted()).toEqual(["always", "due"]);
  expect(order[2]).toBe("long");
  expect(orderFiles(files, 4, 2).map(({ file }) => file)).not.toEqual(order);
});
