import { describe, expect, test } from "bun:test";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { nodeOn, reapAll, sweepAll } from "../../scenes/scene.ts";
import { endUnseen, type Subject, strikeEverywhere } from "../../scenes/strikes.ts";

/** Hundreds of runs take longer than the runner's five seconds on a busy machine. */
export const TIMEOUT_MS = 240_000;

/** Comparison of two machines. */
export interface Comparison {
  /** Returns the state while the guest runs. */
  stateOf(machine: Machine): readonly string[];
  /** Returns the state after the guest has ended. */
  leftOf(machine: Machine): readonly string[];
}

/** States before and after the work, while the guest runs and after it has ended. */
interface Known {
  readonly running: readonly string[];
  readonly ended: readonly string[];
}

/**
 * Tests work on a running guest that is killed, or fails, at each of its instants. After the next svirt, the
 * state must be that before the work or that after it. `outcomes` lists which of the two can occur, 0 and 1.
 */
export function describeDeaths(
  subject: Subject,
  comparison: Comparison,
  outcomes: readonly number[] = [0, 1],
): void {
  describe(`${subject.name}, killed before, within and after every call that changes something`, () => {
    test(
      "is undone or finished by the next svirt, and nothing is left when the guest has ended",
      async () => {
        const known = await statesOf(subject, comparison);
        const seen = new Set<number>();
        await strikeEverywhere(subject, "crash", async (machine, place) => {
          await sweepAll(machine);
          seen.add(await expectKnown(machine, comparison, { known, place }));
        });
        expect([...seen].toSorted()).toEqual([...outcomes]);
      },
      TIMEOUT_MS,
    );

    test(
      "leaves nothing when the guest ends before anybody looks",
      async () => {
        const { ended } = await statesOf(subject, comparison);
        await strikeEverywhere(subject, "crash", async (machine, place) => {
          endUnseen(machine);
          await sweepAll(machine);
          const now = leftOn(machine, comparison);
          expect([place, ended.includes(now) || now]).toEqual([place, true]);
        });
      },
      TIMEOUT_MS,
    );

    test(
      "throws when that call fails instead, and is undone or finished by the next svirt",
      async () => {
        const known = await statesOf(subject, comparison);
        await strikeEverywhere(subject, "fail", async (machine, place) => {
          await sweepAll(machine);
          await expectKnown(machine, comparison, { known, place });
        });
      },
      TIMEOUT_MS,
    );
  });
}

async function statesOf({ prepare, work }: Subject, comparison: Comparison): Promise<Known> {
  const [running, ended]: [string[], string[]] = [[], []];
  for (const isWorked of [false, true]) {
    const machine = await prepare();
    if (isWorked) await work(nodeOn(machine));
    running.push(comparison.stateOf(machine).join("\n"));
    ended.push(await endedState(machine, comparison));
  }
  return { running, ended };
}

/**
 * Expects the state before the work or after it, also once the guest has ended. Returns which of the two, 0
 * or 1.
 */
async function expectKnown(
  machine: Machine,
  comparison: Comparison,
  { known, place }: { readonly known: Known; readonly place: string },
): Promise<number> {
  const now = comparison.stateOf(machine).join("\n");
  const at = known.running.indexOf(now);
  expect([place, at !== -1 || now]).toEqual([place, true]);
  expect([place, await endedState(machine, comparison)]).toEqual([place, known.ended[at] ?? ""]);
  return at;
}

/** Ends the guest and returns the state that is left. */
export async function endedState(machine: Machine, comparison: Comparison): Promise<string> {
  await destroyDomain(nodeOn(machine), "vm1");
  await reapAll(machine);
  return leftOn(machine, comparison);
}

function leftOn(machine: Machine, { leftOf }: Comparison): string {
  return [...machine.violations, ...leftOf(machine)].join("\n");
}
