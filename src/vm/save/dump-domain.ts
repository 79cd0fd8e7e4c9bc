import { type DumpOptions, planDump } from "../../plan/actions/stream.ts";
import type { Step } from "../../plan/steps/step.ts";
import type { Progress } from "../../run/actor.ts";
import type { StepObserver } from "../../run/steps/run-plan.ts";
import type { Instance } from "../../state/instance.ts";
import { type ChangeQuery, changeGuest } from "../change/change-guest.ts";
import { planGuestChange } from "../change/plan-change.ts";
import { findRunning } from "../guest/find-domain.ts";
import { withJob } from "./domain-job.ts";
import { inspectGuest, refuseFrozen, refuseJobs } from "./inspect-guest.ts";
import { decideTarget } from "./target-file.ts";

/** Dump to make. */
interface AskedDump {
  readonly path: string;
  readonly options: DumpOptions;
}

/**
 * Writes a guest's memory to a file. Throws "wrong-state" if it is off, and the errors of the file and of
 * QEMU.
 */
export async function dumpDomain(
  instance: Instance,
  key: string,
  how: AskedDump & {
    readonly observer?: StepObserver;
    readonly onProgress?: Progress;
  },
): Promise<{ name: string }> {
  const { guest, name } = findRunning(instance, key);
  const { path, options, onProgress, ...audience } = how;
  const request = dumpRequest(instance, { path, options });
  const { uuid } = guest;
  await withJob(instance, { operation: "dump", uuid, onProgress }, async (job) => {
    await changeGuest(instance, uuid, { request, ...audience, ...job });
  });
  return { name };
}

/**
 * Returns the steps of dumpDomain(), with those of the guest's end if it ends, and changes nothing. Throws
 * its errors.
 */
export async function planDumpOf(
  instance: Instance,
  key: string,
  asked: AskedDump,
): Promise<{ readonly steps: readonly Step[] }> {
  return { steps: await planGuestChange(instance, key, dumpRequest(instance, asked)) };
}

function dumpRequest(instance: Instance, { options, path }: AskedDump): ChangeQuery {
  return {
    what: "dump",
    async look(seen) {
      const facts = await inspectGuest(instance, seen);
      return {
        what: "dump",
        decide(now) {
          refuseFrozen(now);
          if (options.format === undefined) refuseJobs(now);
          const plan = planDump(decideTarget(instance, path, now.uuid), facts, options);
          return { ...plan, xml: now.xml, ...(options.afterwards === "end" ? { ends: "crashed" } : {}) };
        },
      };
    },
  };
}
