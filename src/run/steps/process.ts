import { SvirtError } from "../../errors.ts";
import type { ProcessStep } from "../../plan/steps/process.ts";
import type { Actor } from "../actor.ts";
import { greetMonitor, resumeGuest } from "../monitor/converse.ts";
import { killGuest, listGuestProcesses } from "../process/kill-guest.ts";
import type { Runs } from "./step-effects.ts";

// Rule: The context of a started QEMU is checked after exec.

/** Effects of the steps on processes of a guest. */
export const runProcess: Runs<ProcessStep> = {
  "spawn-helper": ({ host }, { order }) => host.spawnHelper(order),
  spawn: async ({ host }, { order }) => {
    await host.spawnGuest(order);
  },
  kill: async (actor, { graceMs }) =>
    await killGuest(
      actor.host,
      { ...actor, uuid: actor.owner },
      { graceMs, endingUntilMs: actor.endingUntilMs },
    ),
  "check-context": (actor, { context }) => checkContext(actor, context),
  greet: greetMonitor,
  resume: ({ host }, step) => resumeGuest(host, step),
};

/**
 * Fails closed. Throws "denied" unless the guest has a process and all its processes are in the decided
 * context.
 */
function checkContext(actor: Actor, wanted: string): void {
  const found = listGuestProcesses(actor.host, { ...actor, uuid: actor.owner });
  const other = found.find((process) => process.context !== wanted);
  if (found.length > 0 && other === undefined) return;
  const is =
    other === undefined
      ? "its process has ended"
      : `process ${other.pid} has the context ${other.context ?? "none"}`;
  throw new SvirtError(`Cannot confine the guest in ${wanted}: ${is}`, {
    kind: "denied",
    remedy: "See the denials (svirt explain) and the policy (svirt doctor).",
  });
}
