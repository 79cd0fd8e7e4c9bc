import { editManagedSave } from "../../../vm/save/edit-save-image.ts";
import { resumesOf, WAKING_OPTIONS } from "../../arguments/exclusive.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/** `svirt managedsave-edit DOMAIN` */
export const command: Command = {
  spec: {
    name: "managedsave-edit",
    summary: "change the XML of a domain in the state saved by svirt managedsave, with an editor",
    details:
      "The editor and the new text are treated as by edit. --running and --paused apply if the text is unchanged, too.",
    operands: [DOMAIN_OPERAND],
    options: [...WAKING_OPTIONS],
  },
  async run(call) {
    const { isChanged, name } = await editManagedSave(
      call.instance,
      operand(call, "domain"),
      resumesOf(call),
    );
    const [domain, result] = isChanged ? ["Domain", "edited"] : ["domain", "not changed"];
    call.output.print(`Managed save image of ${domain} '${name}' XML configuration ${result}.\n\n`);
    return undefined;
  },
};
