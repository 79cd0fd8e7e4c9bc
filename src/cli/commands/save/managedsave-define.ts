import { changeManagedSave } from "../../../vm/save/change-save-image.ts";
import { resumesOf, WAKING_OPTIONS } from "../../arguments/exclusive.ts";
import { readInputFile } from "../../arguments/input-file.ts";
import { CHANGED_XML_OPERAND, type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/** `svirt managedsave-define DOMAIN XML` */
export const command: Command = {
  spec: {
    name: "managedsave-define",
    summary: "replace the XML of a domain in the state saved by svirt managedsave",
    operands: [DOMAIN_OPERAND, CHANGED_XML_OPERAND],
    options: [...WAKING_OPTIONS],
  },
  async run(call) {
    const change = { resumes: resumesOf(call), xml: readInputFile(call, operand(call, "xml")) };
    const { name } = await changeManagedSave(call.instance, operand(call, "domain"), change);
    call.output.print(`Managed save state file of domain '${name}' updated.\n\n`);
    return undefined;
  },
};
