import { describe, expect, test } from "bun:test";
import type { Claim } from "../../src/plan/facts/step-parts.ts";
import { ClaimRegistry } from "../../src/registry/claims.ts";
import { Machine, snapshot } from "../memory-host/machine.ts";
import type { Strike } from "../memory-host/svirt.ts";

const LEVEL: Claim = { kind: "level", key: "s0:c1,c2", sharing: "exclusive" };
const SHARED: Claim = {
  kind: "file",
  key: "inode-8:1-7",
  sharing: "shared",
  label: "a:b:c:s0",
  original: "o:o:o",
};

function registryOn(machine: Machine, strike?: Strike): ClaimRegistry {
  return new ClaimRegistry(machine.svirt(strike).host, "/var/lib/svirt");
}

describe("reserve()", () => {
  test("refuses what somebody else has for himself, and names the holder", () => {
    const registry = registryOn(new Machine());
    registry.reserve(LEVEL, "one");
    expect(() => registry.reserve(LEVEL, "two")).toThrow(
      "Cannot reserve level s0:c1,c2: the guest one holds it",
    );
    expect(registry.listHolders("level", LEVEL.key).map(({ owner }) => owner)).toEqual(["one"]);
  });

  test.each([
    ["level", "s0:c1,c2", "level"],
    ["pci", "0000:01:00.0", "PCI device"],
    ["port", "5901", "port"],
    ["file", "inode-8:1-7", "file"],
  ] as const)("refuses a second owner of a %s with a remedy for that kind", (kind, key, noun) => {
    const registry = registryOn(new Machine());
    registry.reserve({ kind, key, sharing: "exclusive" }, "one");
    const reserve = (): void => registry.reserve({ kind, key, sharing: "exclusive" }, "two");
    expect(reserve).toThrow(
      expect.objectContaining({
        remedy: `Stop that guest (its name: svirt domname one), or use another ${noun}; if it was detached from that guest, run svirt recover.`,
      }),
    );
  });

  test("lets the same owner have it twice, and one release gives it free", () => {
    const registry = registryOn(new Machine());
    registry.reserve(LEVEL, "one");
    registry.reserve(LEVEL, "one");
    registry.release(LEVEL, "one");
    registry.reserve(LEVEL, "two");
    expect(registry.listAll()).toEqual([{ kind: "level", key: "s0:c1,c2", owner: "two" }]);
  });

  test("takes what a power failure has left empty for nobody's", () => {
    const machine = new Machine();
    const registry = registryOn(machine);
    registry.reserve(SHARED, "one");
    machine.files.put("/var/lib/svirt/claims/file/inode-8:1-7/one", "file", { mode: 0o600 });
    const exclusive: Claim = { ...SHARED, sharing: "exclusive" };
    registry.reserve(exclusive, "two");
    expect(registry.listHolders("file", SHARED.key).map(({ owner }) => owner)).toEqual(["two"]);
    registry.release(SHARED, "one");
    registry.release(exclusive, "two");
    expect(registry.listAll()).toEqual([]);
  });

  test("lets several share a file, and keeps the original for each", () => {
    const registry = registryOn(new Machine());
    registry.reserve(SHARED, "one");
    registry.reserve(SHARED, "two");
    expect(registry.listHolders("file", SHARED.key).map(({ original }) => original)).toEqual([
      "o:o:o",
      "o:o:o",
    ]);
  });

  test("refuses to share what somebody has for himself, and to have for oneself what others share", () => {
    const registry = registryOn(new Machine());
    registry.reserve(SHARED, "one");
    expect(() => registry.reserve({ ...SHARED, sharing: "exclusive" }, "two")).toThrow(
      "the guest one holds it",
    );
    const other = registryOn(new Machine());
    other.reserve({ ...SHARED, sharing: "exclusive" }, "one");
    expect(() => other.reserve(SHARED, "two")).toThrow("the guest one holds it");
  });

  test.each(["x:y:z:s0", undefined])("refuses to share a file that is to have another label: %s", (label) => {
    const registry = registryOn(new Machine());
    registry.reserve(SHARED, "one");
    const { label: _, ...bare } = SHARED;
    const claim = label === undefined ? bare : { ...SHARED, label };
    expect(() => registry.reserve(claim, "two")).toThrow(
      `the guest one holds it with the label a:b:c:s0, not ${label ?? "that"}`,
    );
  });
});

describe("release()", () => {
  test("leaves nothing behind, and leaves the others what they have", () => {
    const machine = new Machine();
    const before = snapshot(machine);
    const registry = registryOn(machine);
    registry.reserve(SHARED, "one");
    registry.reserve(SHARED, "two");
    registry.release(SHARED, "one");
    expect(registry.listHolders("file", SHARED.key).map(({ owner }) => owner)).toEqual(["two"]);
    registry.release(SHARED, "two");
    expect(snapshot(machine)).toEqual(before);
  });

  test("of what is not held is fine", () => {
    const registry = registryOn(new Machine());
    registry.reserve(LEVEL, "one");
    registry.release(LEVEL, "two");
    expect(registry.isTaken("level", LEVEL.key)).toBe(true);
  });
});

test("a claim that was half written when svirt was killed holds nothing, and goes with its release", () => {
  const machine = new Machine();
  const before = snapshot(machine);
  // The first call that changes something creates the folder, the second one writes the claim in it.
  const killed = registryOn(machine, { at: 2, moment: "within", how: "crash" });
  expect(() => killed.reserve(LEVEL, "one")).toThrow("svirt was killed");
  const registry = registryOn(machine);
  expect(registry.isTaken("level", LEVEL.key)).toBe(false);
  registry.reserve(LEVEL, "two");
  registry.release(LEVEL, "two");
  expect(snapshot(machine)).toEqual(before);
});

test("listAll() tells what is held of every kind, and nothing of what is not", () => {
  const registry = registryOn(new Machine());
  // Listed in full: a kind missing from the registry would be missing from audit and from the tests' own
  // checks.
  const kinds = ["file", "level", "pci", "port", "static", "tap", "uid"] as const;
  for (const kind of kinds) registry.reserve({ kind, key: `one-${kind}`, sharing: "exclusive" }, "one");
  expect(
    registry
      .listAll()
      .map(({ key, kind, owner }) => `${kind} ${key} ${owner}`)
      .toSorted(),
  ).toEqual(kinds.map((kind) => `${kind} one-${kind} one`));
  for (const kind of kinds) registry.release({ kind, key: `one-${kind}`, sharing: "exclusive" }, "one");
  expect(registry.listAll()).toEqual([]);
});

test("a power failure leaves a definition's static level held, and takes a guest's claims", () => {
  const machine = new Machine();
  registryOn(machine).reserve({ kind: "static", key: "s0:c3,c4", sharing: "exclusive" }, "one");
  registryOn(machine).reserve(LEVEL, "two");
  machine.reboot();
  const held = registryOn(machine)
    .listAll()
    .map(({ key, kind }) => `${kind} ${key}`);
  expect(held).toEqual(["static s0:c3,c4"]);
});

describe("a hold that is damaged", () => {
  function damaged(): Machine {
    const machine = new Machine();
    registryOn(machine).reserve(LEVEL, "one");
    const path = `/var/lib/svirt/claims/level/${LEVEL.key}/one`;
    machine.files.get(path).bytes = new TextEncoder().encode('{"sharing":');
    return machine;
  }

  test("is told by its path, to whom it is in the way of", () => {
    const registry = registryOn(damaged());
    for (const act of [() => registry.listHolders("level", LEVEL.key), () => registry.reserve(LEVEL, "two")])
      expect(act).toThrow(
        `Cannot read the claim /var/lib/svirt/claims/level/${LEVEL.key}/one: it is damaged`,
      );
    expect(registry.isTaken("level", LEVEL.key)).toBe(true);
  });

  test("does not keep its owner from what others hold", () => {
    const machine = damaged();
    const registry = registryOn(machine);
    expect(registry.listOthers(LEVEL, "one")).toEqual([]);
    expect(() => registry.listOthers(LEVEL, "two")).toThrow("it is damaged");
  });

  test.each([
    ["level", "End its guest: svirt destroy one. If it does not run, remove the file."],
    ["static", "Define the domain one again. If it is not defined, remove the file."],
  ] as const)("of the kind %s is listed with its remedy", (kind, remedy) => {
    const machine = new Machine();
    const registry = registryOn(machine);
    registry.reserve({ ...LEVEL, kind }, "one");
    registry.reserve({ ...LEVEL, kind, key: "s0:c5,c6" }, "one");
    expect(registry.listDamaged()).toEqual([]);
    const path = `/var/lib/svirt/claims/${kind}/${LEVEL.key}/one`;
    machine.files.get(path).bytes = new TextEncoder().encode("[]");
    expect(registry.listDamaged().map((error) => [error.message, error.remedy])).toEqual([
      [`Cannot read the claim ${path}: it is damaged`, remedy],
    ]);
  });

  test("does not hide the others, and its owner may take and release it", () => {
    const registry = registryOn(damaged());
    registry.reserve(SHARED, "two");
    expect(registry.listAll().map(({ owner }) => owner)).toEqual(["one", "two"]);
    registry.reserve(LEVEL, "one");
    expect(registry.listHolders("level", LEVEL.key)).toEqual([{ owner: "one", sharing: "exclusive" }]);
  });
});
