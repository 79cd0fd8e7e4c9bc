import { setFileLabel } from "../../../vm/label/file-labels.ts";
import { type Command, JSON_OPTION, OF_POOL_OPTION, operand } from "../../command.ts";
import { DRY_RUN_OPTION, pathsOf, printChanges } from "../../label-changes.ts";

/** `svirt label set PATH CONTEXT` */
export const command: Command = {
  spec: {
    name: "label set",
    summary: "set a file's label, also the label restored after a guest's use",
    details:
      "Refuses a file used by a guest and files of the host. Removes the file's remembered label.\n" +
      "The policy's default label does not change: use semanage fcontext for it.",
    recovery: "root",
    operands: [
      { name: "path", summary: "a file, folder or device; for a symlink, its target; with --pool, a volume" },
      { name: "context", summary: "user:role:type:range" },
    ],
    options: [OF_POOL_OPTION, DRY_RUN_OPTION, JSON_OPTION],
  },
  async run(call) {
    const [path = ""] = await pathsOf(call, [operand(call, "path")]);
    const act = { path, isDryRun: call.options.has(DRY_RUN_OPTION.name) };
    printChanges(call, [await setFileLabel(call.instance, act, operand(call, "context"))]);
    return undefined;
  },
};
