import type { ShareStep } from "../../plan/steps/host.ts";
import { handDisplay } from "./hand-display.ts";
import { handTap, takeTap } from "./hand-tap.ts";
import { changeLimits, makeGroup } from "./limits.ts";
import type { Runs } from "./runs.ts";
import { tuneThreads } from "./tune-threads.ts";

/** Effects of the steps on parts of the host that guests share. */
export const runShare: Runs<ShareStep> = {
  "hand-tap": ({ host }, step) => handTap(host, step),
  "take-tap": ({ host }, step) => takeTap(host, step),
  "hand-display": ({ host }, step) => handDisplay(host, step),
  "set-up-tap": ({ host }, { setup }) => host.setUpTap(setup),
  "remove-tap": ({ host }, step) => host.removeTap(step),
  "make-macvtap": ({ host }, { link }) => host.makeMacvtap(link),
  "remove-macvtap": ({ host }, step) => host.removeMacvtap(step),
  "make-group": ({ host }, { group }) => makeGroup(host, group),
  "remove-group": ({ host }, { path }) => host.removeControlGroup(path),
  "tune-threads": (actor, step) => tuneThreads(actor.host, { ...actor, uuid: actor.owner }, step),
  "set-limits": ({ host }, step) => changeLimits(host, step),
};
