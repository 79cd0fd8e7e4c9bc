import { startDomain } from "../../src/vm/start/start.ts";
import { RealFolder } from "../real-host/folder.ts";
import { givenNode } from "../real-host/given-node.ts";
import { xmlWithDisks } from "./many-disks.ts";

const DISKS = [1, 10, 100];
const US_PER_MS = 1000;

/** Elapsed time and processor time. */
interface Spent {
  readonly ms: number;
  readonly cpuMs: number;
}

/** Median costs of a start up to QEMU, and of undoing it. */
export interface StartCost {
  readonly disks: number;
  readonly start: Spent;
  readonly back: Spent;
}

/**
 * Starts guests with 1, 10 and 100 disks up to the spawn of QEMU, then undoes the start. It runs in a warm
 * process on real files: reading, deciding, the record, claims and labels, all on disk.
 */
export async function measureManyDisks(rounds: number): Promise<readonly StartCost[]> {
  const costs: StartCost[] = [];
  for (const disks of DISKS) {
    await timeStart(disks);
    const times: Omit<StartCost, "disks">[] = [];
    for (let round = 0; round < rounds; round += 1) times.push(await timeStart(disks));
    costs.push({
      disks,
      start: medians(times.map(({ start }) => start)),
      back: medians(times.map(({ back }) => back)),
    });
  }
  return costs;
}

async function timeStart(disks: number): Promise<Omit<StartCost, "disks">> {
  using folder = new RealFolder();
  const files = Array.from({ length: disks }, (_, at) => folder.file(`${at}.img`));
  let spawned: Spent | undefined;
  const instance = givenNode(folder.path, "s0-s0:c0.c1023", {
    spawnGuest() {
      spawned = now();
      throw new Error("nothing is spawned in this measurement");
    },
  });
  const begun = now();
  const error = await startDomain(instance, xmlWithDisks(files, "qemu")).catch((thrown: unknown) => thrown);
  if (spawned === undefined) throw error;
  return { start: since(begun, spawned), back: since(spawned, now()) };
}

function now(): Spent {
  const { system, user } = process.cpuUsage();
  return { ms: performance.now(), cpuMs: (system + user) / US_PER_MS };
}

function since(begun: Spent, ended: Spent): Spent {
  return { ms: ended.ms - begun.ms, cpuMs: ended.cpuMs - begun.cpuMs };
}

function medians(times: readonly Spent[]): Spent {
  const median = (values: readonly number[]): number =>
    values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
  return { ms: median(times.map(({ ms }) => ms)), cpuMs: median(times.map(({ cpuMs }) => cpuMs)) };
}
