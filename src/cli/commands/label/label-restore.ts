import { restoreLabels } from "../../../labelling/set-label.ts";
import { readFileContexts } from "../../../report/default-labels.ts";
import { type Command, JSON_OPTION } from "../../command.ts";
import { DRY_RUN_OPTION, printChanges } from "../../label-changes.ts";
import { reportEach } from "../../output/report-each.ts";

/** `svirt label restore PATH...` */
export const command: Command = {
  spec: {
    name: "label restore",
    summary: "give files back the label that they remember or, if none, the one that they have by policy",
    details:
      "A file that a guest uses is left alone, and so is what belongs to the host. The label of a guest that is gone is\n" +
      "nobody's original, even where a file remembers it.",
    recovery: "root",
    operands: [
      { name: "path", summary: "files, folders or devices; of a symlink, where it leads", isRepeated: true },
    ],
    options: [DRY_RUN_OPTION, JSON_OPTION],
  },
  async run(call) {
    const isDryRun = call.options.has(DRY_RUN_OPTION.name);
    const contexts = readFileContexts(call.node.host);
    const restored = await restoreLabels(call.node, { paths: call.rest, isDryRun }, contexts);
    return reportEach(call, restored, (changes) => printChanges(call, changes));
  },
};
