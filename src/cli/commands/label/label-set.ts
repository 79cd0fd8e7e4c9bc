import { setLabel } from "../../../labelling/set-label.ts";
import { type Command, JSON_OPTION, operand } from "../../command.ts";
import { DRY_RUN_OPTION, printChanges } from "../../label-changes.ts";

/** `svirt label set PATH CONTEXT` */
export const command: Command = {
  spec: {
    name: "label set",
    summary: "give a file a label that it keeps: guests give it that one back",
    details:
      "A file that a guest uses is left alone, and so is what belongs to the host. What the file remembers is forgotten.\n" +
      "Policy does not learn of it: semanage fcontext makes a label the default.",
    recovery: "root",
    operands: [
      { name: "path", summary: "a file, folder or device; of a symlink, where it leads" },
      { name: "context", summary: "user:role:type:range" },
    ],
    options: [DRY_RUN_OPTION, JSON_OPTION],
  },
  async run(call) {
    const act = { path: operand(call, "path"), isDryRun: call.options.has(DRY_RUN_OPTION.name) };
    printChanges(call, [await setLabel(call.node, act, operand(call, "context"))]);
    return undefined;
  },
};
