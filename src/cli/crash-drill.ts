import { SvirtError } from "../errors.ts";
import { NO_OBSERVER, type StepObserver } from "../run/steps/run-plan.ts";
import type { Call, Option } from "./command.ts";

/** Option to test recovery: svirt kills itself at a step, as `kill -9` would. */
export const CRASH_OPTION: Option = {
  name: "crash-drill",
  value: "before|after:STEP",
  summary: "kill svirt itself before or after a step (numbered as in svirt plan, up to QEMU's work)",
};

/** Returns the observer of the drill. Throws "usage". */
export function crashDrill(call: Call): StepObserver {
  const drill = call.options.get(CRASH_OPTION.name);
  if (drill === undefined) return NO_OBSERVER;
  const match = /^(before|after):(\d+)$/.exec(drill);
  if (match === null) {
    throw new SvirtError(`option --${CRASH_OPTION.name} requires before:N or after:N, not '${drill}'`, {
      kind: "usage",
      remedy: "Take the number from the output of: svirt plan DOMAIN",
    });
  }
  return (moment, _step, at) => {
    if (moment === match[1] && at + 1 === Number(match[2])) call.instance.host.killSelf();
  };
}
