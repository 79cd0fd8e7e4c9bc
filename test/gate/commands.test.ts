import { afterAll, beforeEach, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

// scripts/gate.ts in a repository of its own.

const GATE = fileURLToPath(new URL("../../scripts/gate.ts", import.meta.url));
const FOLDER = mkdtempSync(`${tmpdir()}/svirt-gate-`);
const LEDGER = `${FOLDER}/test/ledger.tsv`;
const FILE = "test/node/a.test.ts";

let commits: string[] = [];

beforeEach(() => {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER);
  commits = [];
  git("init", "-q");
  write("test/ledger.tsv", "");
  write(FILE, "");
  write(".gitignore", "results\nleft\n");
  commit();
});
afterAll(() => rmSync(FOLDER, { recursive: true }));

function git(...words: readonly string[]): string {
  const child = Bun.spawnSync(["git", "-C", FOLDER, "-c", "user.name=a", "-c", "user.email=a@b", ...words]);
  expect(child.exitCode).toBe(0);
  return child.stdout.toString().trim();
}

function write(path: string, text: string): void {
  mkdirSync(dirname(`${FOLDER}/${path}`), { recursive: true });
  writeFileSync(`${FOLDER}/${path}`, text);
}

function commit(): void {
  git("add", "-A");
  git("commit", "-q", "--allow-empty", "-m", "a");
  commits.push(git("rev-parse", "--short=8", "HEAD"));
}

/** Adds a line to the ledger, at the commit of that number and at an hour of that number. */
function log(subject: string, at: number, result = "passed"): void {
  appendFileSync(LEDGER, `${subject}\t${commits[at]}\t2026-12-01T0${at}:00:00Z\t50\t${result}\n`);
}

function gate(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = Bun.spawnSync([process.execPath, GATE, ...words], {
    cwd: FOLDER,
    env: { ...process.env, SVIRT_LEDGER: "", ...env },
  });
  return { out: child.stdout.toString(), err: child.stderr.toString(), code: child.exitCode };
}

/** Makes five commits that change a source each, and a landing of each of the last ones. */
function land(landings: number): void {
  for (let at = 1; at <= 5; at += 1) {
    write("src/main.ts", String(at));
    commit();
  }
  log("all", 0);
  log(FILE, 0);
  for (let at = 1; at <= landings; at += 1) log("gate", at);
  write("src/main.ts", "the present change");
}

test("a made-up stale entry fails the gate, by the name of the file", () => {
  land(3);
  expect(gate(["faults", FILE])).toEqual({ out: "", err: "", code: 0 });
  log("gate", 4);
  expect(gate(["faults", FILE])).toEqual({
    out: `${FILE} has waited for 4 landings: run scripts/test ${FILE}, and commit the ledger\n`,
    err: "",
    code: 1,
  });
});

test("a file is planned as due before it is stale, and the gate fails if its time has not come", () => {
  land(3);
  const { out } = gate(["plan", "0", "1", `./${FILE}`]);
  expect(out).toBe(`must 50 ./${FILE}\n`);
  write("left", out);
  write("results", "");
  expect(gate(["judge", "left", "results"])).toMatchObject({
    code: 1,
    out: expect.stringContaining(`${FILE} was due`),
  });
  write("left", out.replace("must", "may"));
  expect(gate(["judge", "left", "results"])).toEqual({ out: "", err: "", code: 0 });
});

test("a change of scripts demands scripts/test --all after its landing, and not before", () => {
  write("scripts/test", "");
  commit();
  log("all", 0);
  expect(gate(["faults"]).code).toBe(0);
  log("gate", 1);
  // The line of this content, as CI reads it.
  expect(gate(["faults"]).code).toBe(0);
  write("src/main.ts", "the next change");
  expect(gate(["faults"])).toMatchObject({
    code: 1,
    out: expect.stringContaining("without scripts/test --all"),
  });
});

test("results are appended with their commit, and once more races fail the gate from the third on", () => {
  write("results", `./${FILE}\t12\traced\tcomes in time\ngate\t300\tpassed\n`);
  expect(gate(["record", "results"]).code).toBe(0);
  const [race = "", landing = ""] = readFileSync(LEDGER, "utf8").split("\n");
  expect(race.split("\t").toSpliced(2, 1)).toEqual([FILE, commits[0] ?? "", "12", "raced", "comes in time"]);
  expect(landing.split("\t").toSpliced(2, 1)).toEqual(["gate", commits[0] ?? "", "300", "passed"]);
  write("left", "");
  expect(gate(["judge", "left", "results"]).code).toBe(0);
  gate(["record", "results"]);
  expect(gate(["judge", "left", "results"])).toMatchObject({
    code: 1,
    out: expect.stringContaining("3 races are open"),
  });
});

test("a checkout with changes, and CI, leave the ledger as it is", () => {
  write("results", `./${FILE}\t12\tpassed\n`);
  expect(gate(["record", "results"], { SVIRT_LEDGER: "read" }).err).toContain(`${FILE}\t${commits[0]}\t`);
  write("new.ts", "");
  expect(gate(["record", "results"]).err).toContain("changes that are not committed");
  expect(readFileSync(LEDGER, "utf8")).toBe("");
});

test("a race is closed with a commit and a reason", () => {
  log(FILE, 0, "raced");
  expect(gate(["close", FILE, "HEAD", "the", "cause"]).code).toBe(0);
  expect(readFileSync(LEDGER, "utf8")).toMatch(/\tclosed\tthe cause\n$/);
  expect(gate(["close", FILE, "HEAD"]).code).not.toBe(0);
  expect(gate(["close", FILE, "0000000000", "the", "cause"]).code).not.toBe(0);
});
