import { describe, expect, test } from "bun:test";
import { findLedgerFaults } from "../../scripts/gate/faults.ts";
import type { Entry } from "../../scripts/gate/ledger.ts";
import { commitOf, entry, factsOf, landings } from "./values.ts";

const FILE = "test/node/a.test.ts";

function faultsOf(ledger: readonly Entry[], more: Parameters<typeof factsOf>[1] = {}): readonly string[] {
  return findLedgerFaults(factsOf(ledger, { files: [FILE], ...more }));
}

describe("a file that has passed at landing 1", () => {
  const after = (...numbers: number[]) =>
    faultsOf([entry("all", 1), entry(FILE, 1), ...landings(1, ...numbers)]);

  test("may wait for three landings", () => {
    expect(after(2, 3, 4)).toEqual([]);
  });

  test("fails the gate after four, by name and with the remedy", () => {
    expect(after(2, 3, 4, 5)).toEqual([
      `${FILE} has waited for 4 landings: run scripts/test ${FILE}, and commit the ledger`,
    ]);
  });
});

test("a pass, and nothing else, ends a file's wait", () => {
  const stale = [entry("all", 1), entry(FILE, 1), ...landings(2, 3, 4, 5)];
  expect(faultsOf([...stale, entry(FILE, 6, { result: "raced" })])).toHaveLength(1);
  expect(faultsOf([...stale, entry(FILE, 6, { result: "failed" })])).toHaveLength(1);
  expect(faultsOf([...stale, entry(FILE, 6)])).toEqual([]);
});

test("a file that was removed waits for nothing", () => {
  expect(faultsOf([entry("all", 1), entry(FILE, 1), ...landings(2, 3, 4, 5)], { files: [] })).toEqual([]);
});

describe("scripts/test --all", () => {
  const eleven = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

  test("may wait for ten landings, and fails the gate after eleven", () => {
    const after = (numbers: readonly number[]) =>
      faultsOf([entry("all", 1), entry(FILE, 20), ...landings(...numbers)]);
    expect(after(eleven.slice(1))).toEqual([]);
    expect(after(eleven)).toEqual([expect.stringContaining("scripts/test --all has waited for 11 landings")]);
  });

  test("must have passed once", () => {
    expect(faultsOf([entry("all", 1, { result: "failed" })], { files: [] })).toHaveLength(1);
  });

  test.each(["scripts/test", "image/packages/node", "package.json", "bun.lock"])(
    "is due after the landing that changes %s",
    (path) => {
      const changedBetween = (from: string, to: string) =>
        from === commitOf(1) && to >= commitOf(3) ? [path] : ["src/main.ts"];
      const at = (...entries: readonly Entry[]) =>
        faultsOf([entry("all", 1), entry(FILE, 1), ...entries], { changedBetween });
      expect(at(...landings(2))).toEqual([]);
      expect(at(...landings(2, 3))).toEqual([
        expect.stringMatching(`changed by ${commitOf(3)}, without scripts/test --all since`),
      ]);
      expect(at(...landings(2, 3), entry("all", 4))).toEqual([]);
    },
  );

  test("is not due in the landing itself that changes scripts, nor in its run by CI", () => {
    const changedBetween = () => ["scripts/test"];
    const ledger = [entry("all", 1), entry(FILE, 1), ...landings(2)];
    expect(faultsOf(ledger, { changedBetween, isPresent: (commit) => commit === commitOf(2) })).toEqual([]);
    expect(faultsOf(ledger, { changedBetween })).toHaveLength(1);
  });
});

describe("races", () => {
  const race = (at: number, subject = FILE) => entry(subject, at, { result: "raced", note: "waits" });
  const sound = [entry("all", 1), entry(FILE, 12)];

  test("that are open fail the gate if there are three", () => {
    expect(faultsOf([...sound, race(1), race(2, "b")])).toEqual([]);
    expect(faultsOf([...sound, race(1), race(2, "b"), race(3)])).toEqual([
      expect.stringContaining("3 races are open"),
    ]);
  });

  test("that stay open for more than five landings fail the gate", () => {
    expect(faultsOf([...sound, race(1), ...landings(2, 3, 4, 5, 6)])).toEqual([]);
    expect(faultsOf([...sound, race(1), ...landings(2, 3, 4, 5, 6, 7)])).toEqual([
      expect.stringContaining(`the race of ${FILE} has been open for 6 landings`),
    ]);
  });

  test("whose cause is recorded fail nothing", () => {
    const closed = entry(FILE, 8, { result: "closed", note: "the test took another guest's event" });
    expect(faultsOf([...sound, race(1), ...landings(2, 3, 4, 5, 6, 7), closed])).toEqual([]);
  });
});
