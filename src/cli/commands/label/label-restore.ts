import { restoreFileLabels } from "../../../vm/label/file-labels.ts";
import { type Command, JSON_OPTION, OF_POOL_OPTION } from "../../command.ts";
import { DRY_RUN_OPTION, pathsOf, printChanges } from "../../label-changes.ts";
import { reportEach } from "../../output/report-each.ts";

/** `svirt label restore PATH...` */
export const command: Command = {
  spec: {
    name: "label restore",
    summary: "restore the remembered labels of files or, if none is remembered, the policy's default",
    details:
      "Refuses files used by a guest and files of the host. The label of an ended guest is never restored,\n" +
      "even if a file remembers it.",
    recovery: "root",
    operands: [
      {
        name: "path",
        summary: "files, folders or devices; for a symlink, its target; with --pool, volumes",
        isRepeated: true,
      },
    ],
    options: [OF_POOL_OPTION, DRY_RUN_OPTION, JSON_OPTION],
  },
  async run(call) {
    const isDryRun = call.options.has(DRY_RUN_OPTION.name);
    const restored = await restoreFileLabels(call.instance, {
      paths: await pathsOf(call, call.rest),
      isDryRun,
    });
    return reportEach(call, restored, (changes) => printChanges(call, changes));
  },
};
