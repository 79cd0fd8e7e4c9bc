import type { LabelFacts } from "../../../labelling/show-label.ts";
import { showFileLabels } from "../../../vm/label/file-labels.ts";
import { type Command, JSON_OPTION, OF_POOL_OPTION, printJson } from "../../command.ts";
import { pathsOf } from "../../label-changes.ts";
import { oneLine } from "../../output/one-line.ts";
import { reportEach } from "../../output/report-each.ts";
import { formatFacts } from "../../output/table.ts";

/** `svirt label show PATH...` */
export const command: Command = {
  spec: {
    name: "label show",
    summary:
      "show a file's label, its default label, its remembered label, its users and the label it gets back",
    details: "Follows symlinks, as a start does.",
    recovery: "root",
    operands: [
      { name: "path", summary: "files, folders or devices; with --pool, volumes", isRepeated: true },
    ],
    options: [OF_POOL_OPTION, JSON_OPTION],
  },
  async run(call) {
    return reportEach(call, showFileLabels(call.instance, await pathsOf(call, call.rest)), (shown) => {
      if (call.options.has("json")) printJson(call, shown);
      else call.output.print(shown.map(formatLabel).join(""));
    });
  },
};

function formatLabel(facts: LabelFacts): string {
  const { defaultLabel, givenBack, heldBy = [], isStale, label, path, remembered, seenBy, usedBy } = facts;
  const users = usedBy.map(({ name, sharing, uuid }) => `${name} (${uuid}, ${sharing})`);
  const left = isStale ? " (of a guest that does not use it)" : "";
  return formatFacts([
    ["Path", oneLine(path)],
    ["Label", `${label ?? "-"}${left}`],
    ["Default", defaultLabel ?? "-"],
    ["Remembered", remembered === undefined ? "-" : `${remembered.label} (by ${remembered.by})`],
    ["Used by", users.length === 0 ? "-" : users.join(", ")],
    ...heldBy.map(({ id, name }) => ["Held by", `the machine ${oneLine(name)} (${id})`] as const),
    ...(seenBy === undefined ? [] : [["Seen by", `other machines, by ${oneLine(seenBy)}`] as const]),
    ["Given back", givenBack ?? "-"],
  ]);
}
