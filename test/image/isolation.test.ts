import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { RUNS, type Run } from "../node/isolation/attempt.ts";
import { CONFINED, findFaults, type Row } from "../node/isolation/judge.ts";
import { formatProof } from "../node/isolation/table.ts";
import { makeAdversaryDisks, tryOnProduct } from "./adversary.ts";
import { directBoot } from "./boots.ts";
import { bootMachine, IMAGE, type Machine } from "./machine.ts";

const whereBuilt = existsSync(`${IMAGE}/initrd`) ? describe : describe.skip;
/** Runs of the adversary in a guest's place. */
const GUESTS: readonly Run[] = RUNS.filter((run) => CONFINED.includes(run));
const WANTED: readonly Run[] = [...GUESTS, "control"];

/** Every run of the adversary; boot.test.ts has one for each way to boot. */
whereBuilt("the product's image, with a guest that was taken over", () => {
  const folder = mkdtempSync(`${tmpdir()}/svirt-adversary-`);
  let machine: Machine;
  let rows: readonly Row[];

  beforeAll(async () => {
    const disks = await makeAdversaryDisks(folder);
    machine = await bootMachine(
      directBoot(({ admin }) => `svirt.key=${admin} svirt.config=none svirt.data=none`, disks),
    );
    rows = await tryOnProduct(machine, WANTED);
    process.stderr.write(`${formatProof(rows, WANTED)}\n`);
  }, 900_000);
  afterAll(async () => {
    await machine.stop();
    rmSync(folder, { recursive: true });
  });

  test("reaches nothing of its neighbour's, of the host's secrets or of the host", () => {
    expect(findFaults(rows, GUESTS)).toEqual([]);
    expect(rows.filter((row) => row.attempt.group !== "own").length).toBeGreaterThan(200);
  });

  test("where the same tries of an unconfined root get at the neighbour and at the secrets", () => {
    const walls = rows.filter(({ attempt: { group } }) => group === "neighbour" || group === "secrets");
    expect(walls.length).toBeGreaterThan(40);
    expect(findFaults(walls, ["control"])).toEqual([]);
  });
});
