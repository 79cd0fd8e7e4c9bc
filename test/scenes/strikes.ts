import { expect } from "bun:test";
import { readRecord } from "../../src/state/record.ts";
import { type Machine, snapshot } from "../memory-host/machine.ts";
import type { Moment, Strike } from "../memory-host/svirt.ts";
import { sampleOf } from "../sample.ts";
import { errorOf, nodeOn, reapAll, sweepAll, UUID } from "./scene.ts";

/** Work of one svirt process. */
export type Work = (node: ReturnType<typeof nodeOn>) => Promise<unknown>;

const MOMENTS: readonly Moment[] = ["before", "within", "after"];

/** Returns every instant at which work on a fresh machine can be killed, counted in one complete run. */
export async function instantsOf(prepare: () => Promise<Machine>, work: Work): Promise<Strike[]> {
  const node = nodeOn(await prepare());
  await work(node);
  const count = node.svirt.changes.length;
  return Array.from({ length: count }, (_, at) => MOMENTS.map((moment) => ({ at: at + 1, moment })))
    .flat()
    .map((instant) => ({ ...instant, how: "crash" }));
}

/** Runs work until it is struck. The process then ends, and its locks with it. */
export async function beStruck(machine: Machine, work: Work, strike: Strike): Promise<void> {
  const node = nodeOn(machine, strike);
  const error = await errorOf(work(node)).catch(() => undefined);
  if (strike.how === "crash") expect([error?.message, node.svirt.isDead]).toEqual([expect.anything(), true]);
  node.svirt.exit();
}

/** Work, and the preparation of its machine. */
export interface Subject {
  readonly name: string;
  readonly prepare: () => Promise<Machine>;
  readonly work: Work;
  /** The test proves something only at a few of the instants, so it tries all. */
  readonly needsAll?: boolean;
}

/**
 * Strikes the work at each of its instants, or at a sample of them, on a fresh machine, and calls `look` on
 * the result, with the place of the strike.
 */
export async function strikeEverywhere(
  { name, needsAll, prepare, work }: Subject,
  how: Strike["how"],
  look: (machine: Machine, place: string) => Promise<void>,
): Promise<void> {
  const instants = await instantsOf(prepare, work);
  expect(instants.length).toBeGreaterThan(12);
  for (const strike of needsAll === true ? instants : sampleOf(instants)) {
    const machine = await prepare();
    await beStruck(machine, work, { ...strike, how });
    await look(machine, `${name}, ${how} ${strike.moment} call ${strike.at}`);
  }
}

/**
 * Kills the work at each of its instants. After the next sweep and the end of the guest, the machine must
 * equal `clean`.
 */
export async function leavesNothing(
  subject: Subject,
  { clean, end }: { readonly clean: readonly string[]; readonly end: Work },
): Promise<void> {
  await strikeEverywhere(subject, "crash", async (machine, place) => {
    await sweepAll(machine);
    await reapAll(machine);
    if (readRecord(nodeOn(machine), UUID) !== undefined) await end(nodeOn(machine));
    expect([place, ...withoutInodes(machine)]).toEqual([place, ...clean]);
  });
}

/** Ends the guest's QEMU; no reaper reports it. */
export function endUnseen(machine: Machine, status = 0): void {
  machine.processes.end(machine.processes.qemuOf(UUID)?.pid ?? 0, status);
  machine.pass(100);
  machine.reaps.splice(0);
}

/**
 * Returns a snapshot without the numbers of inodes and processes: a reboot creates /run and /dev with other
 * inodes.
 */
export function withoutInodes(machine: Machine): string[] {
  return snapshot(machine).map((line) => line.replace(/^\d+ |(?<=^process )\d+ /, ""));
}
