import type { ShareStep } from "../../plan/steps/host.ts";
import type { Actor } from "../actor.ts";
import { handDisplay } from "./hand-display.ts";
import { handTap, takeTap } from "./hand-tap.ts";
import { changeLimits, makeGroup } from "./limits.ts";
import { tuneThreads } from "./tune-threads.ts";

/** Carries out a step on parts of the host that guests share. Throws the errors of the host. */
export async function runShareStep(actor: Actor, step: ShareStep): Promise<void> {
  const { host, owner } = actor;
  switch (step.do) {
    case "hand-tap":
      return await handTap(host, step);
    case "take-tap":
      return await takeTap(host, step);
    case "hand-display":
      return await handDisplay(host, step);
    case "set-up-tap":
      return host.setUpTap(step.setup);
    case "remove-tap":
      return host.removeTap(step);
    case "make-macvtap":
      return host.makeMacvtap(step.link);
    case "remove-macvtap":
      return host.removeMacvtap(step);
    case "make-group":
      return makeGroup(host, step.group);
    case "remove-group":
      return host.removeControlGroup(step.path);
    case "tune-threads":
      return await tuneThreads(host, { ...actor, uuid: owner }, step);
    case "set-limits":
      return changeLimits(host, step);
  }
}
