import { setFileLabels } from "../../../vm/label/file-labels.ts";
import { type Command, JSON_OPTION, OF_POOL_OPTION, operand } from "../../command.ts";
import { DRY_RUN_OPTION, pathsOf, printChanges } from "../../label-changes.ts";
import { reportEach } from "../../output/report-each.ts";

/** `svirt label set PATH... CONTEXT` */
export const command: Command = {
  spec: {
    name: "label set",
    summary: "set the label of files, also the label restored after a guest's use",
    details:
      "Refuses files used by a guest and files of the host. Removes their remembered labels.\n" +
      "The policy's default label does not change: use semanage fcontext for it.",
    recovery: "root",
    operands: [
      {
        name: "path",
        summary: "files, folders or devices; for a symlink, its target; with --pool, volumes",
        isRepeated: true,
      },
      { name: "context", summary: "user:role:type:range" },
    ],
    options: [OF_POOL_OPTION, DRY_RUN_OPTION, JSON_OPTION],
  },
  async run(call) {
    const isDryRun = call.options.has(DRY_RUN_OPTION.name);
    const files = { paths: await pathsOf(call, call.rest), isDryRun };
    const set = await setFileLabels(call.instance, files, operand(call, "context"));
    return reportEach(call, set, (changes) => printChanges(call, changes));
  },
};
