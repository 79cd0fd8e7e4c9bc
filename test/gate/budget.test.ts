import { expect, test } from "bun:test";
import { Glob } from "bun";
import { BUDGET, nodeSeconds, PARTS } from "../../scripts/gate/budget.ts";
import { NODES, needsAllNodes, rateFiles } from "../../scripts/gate/candidates.ts";
import { findLedgerFaults } from "../../scripts/gate/faults.ts";
import { type Entry, parseLedger, secondsOf } from "../../scripts/gate/ledger.ts";
import { isMust, planGate } from "../../scripts/gate/plan.ts";
import { shuffle } from "../../scripts/gate/shuffle.ts";
import { SOURCES } from "../../scripts/gate/sources.ts";
import { commitOf, entry, factsOf } from "./values.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const FILES = [...new Glob("test/{node,readme,stock}/**/*.test.ts").scanSync(ROOT)]
  .concat(
    [...new Glob("test/**/long/*.test.ts").scanSync(ROOT)].filter((path) => !path.startsWith("test/node/")),
  )
  .sort();
const LEDGER = parseLedger(await Bun.file(`${ROOT}test/ledger.tsv`).text());
const LANDINGS = 20;

/** Returns the ledger with the seconds of today, in which every file has passed at commit 0. */
function firstLedger(): readonly Entry[] {
  return [
    entry("all", 0),
    ...FILES.map((file) => entry(file, 0, { seconds: secondsOf(LEDGER, file) ?? 60 })),
  ];
}

test("the parts of the gate and the planned files fit into 35 minutes, in each of 20 landings that change sources", () => {
  expect(BUDGET).toBeLessThanOrEqual(35 * 60);
  const fixed = [...PARTS.values()].reduce((sum, seconds) => sum + seconds, 0);
  const folders = [...SOURCES.keys()].filter((prefix) => prefix.startsWith("src/"));
  let ledger = firstLedger();
  for (let at = 1; at <= LANDINGS; at += 1) {
    const changed = shuffle(folders, at).slice(0, 12);
    const facts = factsOf(ledger, { files: FILES, changedSince: () => changed });
    expect(findLedgerFaults(facts).filter((fault) => !fault.includes("--all"))).toEqual([]);
    const plan = planGate(rateFiles(FILES, facts), nodeSeconds());
    expect(fixed + plan.seconds / NODES).toBeLessThanOrEqual(BUDGET);
    expect(plan.leftOut.filter(isMust)).toEqual([]);
    const commit = commitOf(at);
    const passed = plan.run.map(({ file, seconds }) =>
      entry(file, at, { seconds: needsAllNodes(file) ? seconds / NODES : seconds }),
    );
    ledger = [...ledger, ...passed, entry("gate", at, { commit })];
  }
});

test("a plan whose files do not fit is seen: with files of twice the seconds the gates fall behind", () => {
  const slow = firstLedger().map((line) => ({ ...line, seconds: line.seconds * 2 }));
  const late = [1, 2, 3].map((at) => entry("gate", at));
  const { seconds } = planGate(rateFiles(FILES, factsOf([...slow, ...late])), nodeSeconds());
  expect(seconds).toBeGreaterThan(nodeSeconds());
});

test("scripts/test has the same budget", async () => {
  expect(await Bun.file(`${ROOT}scripts/test`).text()).toContain(`\${SVIRT_BUDGET:-${BUDGET}}`);
});
