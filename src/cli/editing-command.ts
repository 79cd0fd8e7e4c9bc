import type { Instance } from "../state/instance.ts";
import type { Edited, TreatChange } from "../vm/define/edit-definition.ts";
import { carryOut, planOnly } from "../vm/object-change/carry-out.ts";
import { type Command, type CommandSpec, type Operand, operand } from "./command.ts";
import { CRASH_OPTION, crashDrill } from "./crash-drill.ts";
import { DRY_RUN_OPTION } from "./label-changes.ts";
import { formatPlan } from "./output/format-plan.ts";

/** Command by which the caller edits the definition of an object. */
interface EditingCommand {
  readonly spec: Omit<CommandSpec, "operands" | "options">;
  /** Operand with the key of the object. */
  readonly object: Operand;
  /** Lets the caller edit the definition, and treats the change of its new text. */
  edit<Result>(instance: Instance, key: string, treat: TreatChange<Result>): Promise<Edited<Result>>;
  /** Formats the message of success. */
  format(edited: Edited): string;
}

/**
 * Returns the command of an editor. `svirt plan` and --dry-run also run the editor, and print the steps that
 * the command would carry out and record.
 */
export function editingCommand({ edit, format, object, spec }: EditingCommand): Command {
  const plan: NonNullable<Command["plan"]> = async (call) => {
    const treat: TreatChange<Awaited<ReturnType<typeof planOnly>>> = async (change) =>
      await planOnly(call.instance, change);
    return (await edit(call.instance, operand(call, object.name), treat)).result;
  };
  return {
    spec: { ...spec, operands: [object], options: [DRY_RUN_OPTION, CRASH_OPTION] },
    plan,
    async run(call) {
      if (call.options.has(DRY_RUN_OPTION.name)) {
        const planned = await plan(call);
        call.output.print(formatPlan(planned ?? { steps: [] }));
        return undefined;
      }
      const observer = crashDrill(call);
      const edited = await edit(call.instance, operand(call, object.name), async (change) => {
        await carryOut(call.instance, change, observer);
      });
      call.output.print(`${format(edited)}\n\n`);
      return undefined;
    },
  };
}
