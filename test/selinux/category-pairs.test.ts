import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { availableLevel, countPairs, rangesFor } from "../../src/selinux/category-pairs.ts";
import { type Level, pairOf } from "../../src/selinux/level.ts";

const ALL = [{ first: 0, last: 1023 }];
const level = (...categories: readonly (readonly [number, number])[]): Level => ({
  sensitivity: "s0",
  categories: categories.map(([first, last]) => ({ first, last })),
});

describe("availableLevel()", () => {
  // Cases of libvirt's securityselinuxtest.c and virSecuritySELinuxMCSGetProcessRange(). Differences of svirt
  // have their own tests.
  test.each([
    ["s0", "s0", ALL],
    ["s0-s0", "s0", ALL],
    [undefined, "s0", ALL],
    ["s0-s0:c0.c1023", "s0", ALL],
    ["s0-s0:c0.c10", "s0", [{ first: 0, last: 10 }]],
    ["s2-s3:c0.c1023", "s2", ALL],
    ["s0-s15:c0.c255", "s0", [{ first: 0, last: 255 }]],
    ["s0-s0:c0.c7", "s0", [{ first: 0, last: 7 }]],
  ])("of %s is that of the reference", (range, sensitivity, categories) => {
    expect(availableLevel(range)).toEqual({ sensitivity, categories });
  });

  test("takes every block, of which the reference takes the first alone", () => {
    expect(availableLevel("s0:c10.c30,c100.c200").categories).toEqual([
      { first: 10, last: 30 },
      { first: 100, last: 200 },
    ]);
  });

  test.each(["s0:c5", "s0:c1,c2", "s0-s0:c0.c6"])("refuses %s: fewer than 8 categories", (range) => {
    expect(() => availableLevel(range)).toThrow("Cannot choose two categories");
  });

  test("refuses translated names, which the reference copies into labels that mean nothing", () => {
    expect(() => availableLevel("SystemLow-SystemHigh")).toThrow("Cannot read the range");
  });
});

describe("rangesFor()", () => {
  test("gives each pair of categories exactly once, low before high, and then ends", () => {
    const shape = fc.record({
      uuid: fc.uuid(),
      first: fc.nat(900),
      size: fc.integer({ min: 8, max: 40 }),
      gap: fc.integer({ min: 1, max: 20 }),
    });
    fc.assert(
      fc.property(shape, ({ first, gap, size, uuid }) => {
        const half = Math.floor(size / 2);
        const second = first + half + gap;
        const two = level([first, first + half - 1], [second, second + size - half - 1]);
        const ranges = [...rangesFor(uuid, two)];
        expect(ranges).toHaveLength((size * (size - 1)) / 2);
        expect(new Set(ranges).size).toBe(ranges.length);
        for (const range of ranges) {
          const [low, high] = pairOf(range) ?? [0, 0];
          expect(low).toBeLessThan(high);
          for (const category of [low, high]) {
            const isFirst = category >= first && category < first + half;
            const isSecond = category >= second && category < second + size - half;
            expect(isFirst || isSecond).toBe(true);
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  test("of all 1024 categories gives all 523,776 pairs", () => {
    const all = level([0, 1023]);
    expect(countPairs(all)).toBe(523_776);
    expect(new Set(rangesFor("6ca317fc-5004-49bf-8cd8-26628e15f990", all)).size).toBe(523_776);
  });

  test("begins with the same pair for the same UUID, every time", () => {
    fc.assert(
      fc.property(fc.uuid(), (uuid) => {
        const first = (): string | undefined => rangesFor(uuid, level([0, 1023])).next().value;
        expect(first()).toBe(first() ?? "none");
      }),
    );
  });

  // Computed by another program (FNV-1a, murmur's finalizer, all pairs in a list). The pair of a UUID is the
  // same on every host and in every version. So a change of svirt cannot move a guest's label unnoticed.
  test.each([
    ["a11ce000-5e11-4c0d-8a2d-0000000000a1", "s0:c108,c484 s0:c170,c555 s0:c163,c618"],
    ["b0b00000-5e11-4c0d-8a2d-0000000000b0", "s0:c275,c364 s0:c967,c987 s0:c873,c877"],
    ["6ca317fc-5004-49bf-8cd8-26628e15f990", "s0:c56,c366 s0:c363,c779 s0:c51,c180"],
    ["00000000-0000-0000-0000-000000000000", "s0:c92,c456 s0:c138,c995 s0:c23,c851"],
  ])("gives %s these pairs first: %s", (uuid, first) => {
    expect([...rangesFor(uuid, level([0, 1023])).take(3)].join(" ")).toBe(first);
  });

  test("spreads the preferred pairs: UUIDs that follow one another rarely meet", () => {
    const preferred = Array.from({ length: 1000 }, (_, at) => {
      const uuid = `00000000-0000-4000-8000-${String(at).padStart(12, "0")}`;
      return rangesFor(uuid, level([0, 1023])).next().value;
    });
    // The expected number of collisions is 1000 * 999 / 2 / 523776 = 0.95.
    expect(new Set(preferred).size).toBeGreaterThan(990);
  });
});
