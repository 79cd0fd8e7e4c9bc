import { describe, expect, test } from "bun:test";
import { ClaimRegistry } from "../../src/registry/claims.ts";
import {
  BY_CLAIMS,
  CLAIMED_LEVELS,
  chooseRange,
  type LevelOffer,
  LevelsTaken,
} from "../../src/registry/level-allocator.ts";
import { availableLevel, rangesFor } from "../../src/selinux/category-pairs.ts";
import { Machine } from "../memory-host/machine.ts";

const UUID = "11111111-2222-4333-8444-000000000001";
const LEVEL = availableLevel("s0-s0:c0.c7");
const [FIRST = "", SECOND = "", LATER = ""] = rangesFor(UUID, LEVEL);
const STORED: LevelOffer = { by: "store", range: LATER, release: () => Promise.resolve() };

/** What is chosen where processes have these ranges and other owners have claimed these. */
function choose(
  offer: LevelOffer,
  processes: readonly string[],
  claims: readonly ("level" | "static")[] = [],
) {
  const registry = new ClaimRegistry(new Machine().svirt().host, "/var/lib/svirt");
  const key = offer.by === "store" ? offer.range : FIRST;
  for (const kind of claims) registry.reserve({ kind, key, sharing: "shared" }, "another");
  return chooseRange(offer, { uuid: UUID, level: LEVEL, registry, inUse: new Set(processes) });
}

test("the allocator of a single host needs neither the level nor a store", async () => {
  const level = () => {
    throw new Error("the policy is read");
  };
  const asked = { uuid: UUID, purpose: "start", level, refused: new Set<string>() } as const;
  expect(await CLAIMED_LEVELS.offer(asked)).toBe(BY_CLAIMS);
});

describe("chooseRange() by the claims of the host", () => {
  test("takes the guest's first pair that no process, guest or definition has", () => {
    expect(choose(BY_CLAIMS, [])).toBe(FIRST);
    expect(choose(BY_CLAIMS, [FIRST])).toBe(SECOND);
    expect(choose(BY_CLAIMS, [], ["level"])).toBe(SECOND);
    expect(choose(BY_CLAIMS, [], ["static"])).toBe(SECOND);
  });

  test("takes a pair that the guest itself has claimed", () => {
    const registry = new ClaimRegistry(new Machine().svirt().host, "/var/lib/svirt");
    registry.reserve({ kind: "level", key: FIRST, sharing: "exclusive" }, UUID);
    const use = { uuid: UUID, level: LEVEL, registry, inUse: new Set<string>() };
    expect(chooseRange(BY_CLAIMS, use)).toBe(FIRST);
  });

  test("refuses if all pairs are in use", () => {
    expect(() => choose(BY_CLAIMS, [...rangesFor(UUID, LEVEL)])).toThrow(
      "Cannot choose a level: all 28 pairs of categories are in use",
    );
  });
});

describe("chooseRange() of a store's offer", () => {
  test("takes that range and no other", () => {
    expect(choose(STORED, [])).toBe(LATER);
  });

  test.each([
    ["a process has it", [LATER], []],
    ["a guest of this host has it", [], ["level"]],
    ["a definition of this host has it", [], ["static"]],
  ] as const)("refuses it if %s", (_, processes, claims) => {
    const act = () => choose(STORED, processes, claims);
    expect(act).toThrow(LevelsTaken);
    expect(act).toThrow(`Cannot choose a level: ${LATER}, which is reserved for the guest, is in use`);
  });

  test.each(["s0", "s0:c1", "s0-s0:c0.c1023", "s0:c1.c2,c4", ""])(
    "refuses %p, which is no pair and would not separate guests",
    (range) => {
      expect(() => choose({ ...STORED, range }, [])).toThrow("it must be a pair of categories");
    },
  );
});
