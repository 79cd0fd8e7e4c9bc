import { carryOut, planOnly } from "../vm/object-change/carry-out.ts";
import type { Change } from "../vm/object-change/change.ts";
import type { Call, Command, CommandSpec } from "./command.ts";
import { CRASH_OPTION, crashDrill } from "./crash-drill.ts";

/**
 * Command that changes an object by recorded steps: its arguments name the change, and its result is
 * reported.
 */
interface PlannedCommand<Result> {
  readonly spec: CommandSpec;
  /** Returns what prints data, if the arguments ask for data instead of a change. Throws "usage". */
  show?(call: Call): (() => void) | undefined;
  /** Reads the arguments. Throws "usage", and the errors of a change. */
  change(call: Call): Change<Result>;
  /** Prints the result. */
  report(call: Call, result: Result): void;
}

/** Returns the command of a change. `svirt plan` prints the same steps that it carries out and records. */
export function plannedCommand<Result>({
  change,
  report,
  show = () => undefined,
  spec,
}: PlannedCommand<Result>): Command {
  return {
    spec: { ...spec, options: [...spec.options, CRASH_OPTION] },
    plan: async (call) =>
      show(call) === undefined ? await planOnly(call.instance, change(call)) : undefined,
    async run(call) {
      const shown = show(call);
      if (shown === undefined) report(call, await carryOut(call.instance, change(call), crashDrill(call)));
      else shown();
      return undefined;
    },
  };
}
