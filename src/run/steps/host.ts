import { formatTapRules } from "../../network/filter/tap-rules.ts";
import type { ShareStep } from "../../plan/steps/host.ts";
import { changeLimits, makeGroup } from "./limits.ts";
import { passDisplay } from "./pass-display.ts";
import type { Runs } from "./step-effects.ts";
import { closeTap, passTap } from "./tap/pass-tap.ts";
import { removeTap, setUpTap } from "./tap/switch-port.ts";
import { tuneThreads } from "./tune-threads.ts";

/** Effects of the steps on parts of the host shared by guests. */
export const runShare: Runs<ShareStep> = {
  "pass-tap": ({ host }, step) => passTap(host, step),
  "close-tap": ({ host }, step) => closeTap(host, step),
  "pass-display": ({ host }, step) => passDisplay(host, step),
  "set-up-tap": async ({ host }, { setup }) => await setUpTap(host, setup),
  "remove-tap": async ({ host }, step) => await removeTap(host, step),
  "make-macvtap": ({ host }, { link }) => host.makeMacvtap(link),
  "remove-macvtap": ({ host }, step) => host.removeMacvtap(step),
  "set-tap-rules": async ({ host }, { rules }) => await host.setPacketRules(formatTapRules(rules)),
  "change-tap-rules": async ({ host }, { rules }) => await host.setPacketRules(formatTapRules(rules)),
  "remove-tap-rules": ({ host }, { table }) => host.removeTapTable(table),
  "shape-tap": ({ host }, { shape, tap }) => host.shapeTap(tap, shape),
  "set-floor": ({ host }, { bytesPerSecond, to }) => host.setFloor(to, bytesPerSecond),
  "make-group": ({ host }, { group }) => makeGroup(host, group),
  "remove-group": ({ host }, { path }) => host.removeControlGroup(path),
  "tune-threads": (actor, step) => tuneThreads(actor.host, { ...actor, uuid: actor.owner }, step),
  "set-limits": ({ host }, step) => changeLimits(host, step),
};
