import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { canonicalRange, categoryAt, countCategories, pairOf, parseRange } from "../../src/selinux/level.ts";

describe("parseRange()", () => {
  test("reads both ends, each with its blocks", () => {
    expect(parseRange("s0:c1-s15:c0.c3,c9")).toEqual({
      low: { sensitivity: "s0", categories: [{ first: 1, last: 1 }] },
      high: {
        sensitivity: "s15",
        categories: [
          { first: 0, last: 3 },
          { first: 9, last: 9 },
        ],
      },
    });
  });

  test("takes a range of one level for both ends", () => {
    const { high, low } = parseRange("s2:c4");
    expect(high).toEqual(low);
  });

  test.each([
    ["SystemLow-SystemHigh", "names that mcstransd makes"],
    ["s0-s0-s0", "three ends"],
    ["s0:", "an empty list"],
    ["s0:c1,,c2", "an empty category"],
    ["s0:c5.c1", "a block that runs backwards"],
    ["s0:c1:c2", "two lists"],
    ["c1,c2", "no sensitivity"],
    ["s0:c-1", "a negative category"],
    ["", "nothing"],
  ])("refuses %j: %s", (text) => {
    expect(() => parseRange(text)).toThrow(`Cannot read the range "${text}"`);
  });
});

test("categoryAt() counts through the blocks and ends where they end", () => {
  const { low } = parseRange("s0:c3.c5,c9");
  expect(countCategories(low)).toBe(4);
  expect([0, 1, 2, 3].map((at) => categoryAt(low, at))).toEqual([3, 4, 5, 9]);
  expect(() => categoryAt(low, 4)).toThrow("the level has fewer");
});

test.each([
  ["s0:c1.c2", "s0:c1,c2"],
  ["s0:c1,c2,c3", "s0:c1.c3"],
  ["s0:c9,c1", "s0:c1,c9"],
  ["s0:c1.c5,c3.c9", "s0:c1.c9"],
  ["s0-s0", "s0"],
  ["s0-s0:c0.c1023", "s0-s0:c0.c1023"],
  ["s0:c5,c5", "s0:c5"],
])("canonicalRange() writes %s as the kernel does: %s", (text, kernel) => {
  expect(canonicalRange(text)).toBe(kernel);
});

test("canonicalRange() neither adds nor loses a category, and changes nothing twice", () => {
  const blocks = fc.array(fc.tuple(fc.nat(60), fc.nat(6)), { minLength: 1, maxLength: 8 });
  const setOf = (range: string): number[] => {
    const { categories } = parseRange(range).low;
    const all = categories.flatMap(({ first, last }) =>
      Array.from({ length: last - first + 1 }, (_, at) => first + at),
    );
    return [...new Set(all)].sort((a, b) => a - b);
  };
  fc.assert(
    fc.property(blocks, (drawn) => {
      const range = `s0:${drawn.map(([first, more]) => `c${first}.c${first + more}`).join(",")}`;
      const canonical = canonicalRange(range);
      expect(setOf(canonical)).toEqual(setOf(range));
      expect(canonicalRange(canonical)).toBe(canonical);
    }),
  );
});

test("pairOf() knows the ranges that guests have, and no other", () => {
  expect(pairOf("s0:c1,c2")).toEqual([1, 2]);
  for (const other of ["s0", "s0:c1", "s0:c1.c3", "s0:c1,c2,c3", "s0-s0:c1,c2"])
    expect(pairOf(other)).toBeUndefined();
});
