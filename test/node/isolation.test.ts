import { describe, expect, test } from "bun:test";
import { type AttemptResult, parseAttempts, RUNS, type Run, type Runs } from "./isolation/attempt.ts";
import { EXCEPTIONS, type Exception } from "./isolation/exceptions.ts";
import { findFaults, joinRuns } from "./isolation/judge.ts";
import { isNodeUp, tryAll } from "./isolation/on-the-node.ts";
import { formatProof } from "./isolation/table.ts";

const nodeIsUp = await isNodeUp();

describe.skipIf(!nodeIsUp)("on the node (skipped: `scripts/node start` first)", () => {
  test("a guest reaches nothing of its neighbour's or of the host's secrets", async () => {
    const rows = joinRuns(await tryAll(say), EXCEPTIONS);
    say(`\n${formatProof(rows, RUNS)}`);
    expect(findFaults(rows, RUNS)).toEqual([]);
    expect(rows.filter((row) => row.attempt.group !== "own").length).toBeGreaterThan(200);
  }, 600_000);
});

test("of what a guest may do beyond its needs three things are left, and what its XML asks for", () => {
  const doneIn = (run: Run) =>
    EXCEPTIONS.filter(({ runs, verdict }) => runs.includes(run) && verdict === "done").map(({ id }) => id);
  const left = ["code.personality", "pidfd.open", "network.bind-abstract"];
  expect(doneIn("kvm")).toEqual(left);
  expect(doneIn("tcg").filter((id) => !left.includes(id))).toEqual(["code.wx"]);
  expect(doneIn("net").filter((id) => !left.includes(id) && !id.startsWith("network."))).toEqual([]);
});

test("findFaults() is content when the guest is refused and the control is not", () => {
  expect(findFaults(rowsOf({ kvm: "refused", control: "done" }), ["kvm", "control"])).toEqual([]);
});

test("findFaults() names what a guest could do, could not be told, or nobody could", () => {
  const faults = (kvm: Verdict, control: Verdict) => findFaults(rowsOf({ kvm, control }), ["kvm", "control"]);
  expect(faults("done", "done")).toEqual(["kvm: disk.read (read it) is done, not refused"]);
  expect(faults("hung", "done")).toEqual(["kvm: disk.read (read it) is hung, not refused"]);
  expect(faults("untried", "done")).toEqual(["kvm: disk.read (read it) is untried, not refused"]);
  expect(faults("refused", "refused")).toEqual(["control: disk.read (read it) is refused, not done"]);
});

test("findFaults() names a run that has no result", () => {
  expect(findFaults(rowsOf({ control: "done" }), ["kvm", "control"])).toHaveLength(1);
});

test("findFaults() names an exception that is no longer true", () => {
  const known: Exception = { id: "disk.read", runs: ["control"], verdict: "refused", reason: "a test" };
  expect(findFaults(rowsOf({ control: "refused" }, [known]), ["control"])).toEqual([]);
  expect(findFaults(rowsOf({ control: "done" }, [known]), ["control"])).toHaveLength(1);
  expect(findFaults(rowsOf({ control: "hung" }, [known]), ["control"])).toHaveLength(1);
});

test("findFaults() takes no excuse for a guest that reaches its neighbour", () => {
  const excuse: Exception = { id: "disk.read", runs: ["kvm"], verdict: "done", reason: "a test" };
  expect(findFaults(rowsOf({ kvm: "done" }, [excuse]), ["kvm"])).toHaveLength(1);
});

test("parseAttempts() refuses what the adversary does not print", () => {
  expect(parseAttempts(`${JSON.stringify(result("done"))}\n`)).toEqual([result("done")]);
  expect(() => parseAttempts("/usr/lib/x: Permission denied\n")).toThrow("Cannot run the adversary");
  expect(() => parseAttempts('{"id":"disk.read"}\n')).toThrow();
});

type Verdict = AttemptResult["verdict"];

function result(verdict: Verdict): AttemptResult {
  return { id: "disk.read", group: "neighbour", what: "read it", destructive: false, verdict };
}

function rowsOf(verdicts: Partial<Record<Run, Verdict>>, exceptions: readonly Exception[] = []) {
  const runs: Runs = new Map(
    RUNS.flatMap((run) => {
      const verdict = verdicts[run];
      return verdict === undefined ? [] : [[run, new Map([["disk.read", result(verdict)]])] as const];
    }),
  );
  return joinRuns(runs, exceptions);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
