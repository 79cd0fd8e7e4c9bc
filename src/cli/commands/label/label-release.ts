import { SvirtError } from "../../../errors.ts";
import { releaseLabels } from "../../../labelling/release-label.ts";
import { readFileContexts } from "../../../report/default-labels.ts";
import { type Command, JSON_OPTION } from "../../command.ts";
import { DRY_RUN_OPTION, printChanges } from "../../label-changes.ts";
import { reportEach } from "../../output/report-each.ts";

/** `svirt label release PATH... --machine MACHINE` */
export const command: Command = {
  spec: {
    name: "label release",
    summary: "say that another machine has files no more: it is off, or runs no guest with them",
    details:
      "On storage that several machines see, each marks the files that its guests have, and none takes a file that another\n" +
      "has marked. A machine that lost its power leaves its marks. Make sure that it is off before you take them away: a guest\n" +
      "that runs there loses its files, or shares them with another guest. Files that nobody has then get their labels back.\n" +
      "What this machine left itself svirt label restore gives back.",
    recovery: "root",
    operands: [
      { name: "path", summary: "files, folders or devices; of a symlink, where it leads", isRepeated: true },
    ],
    options: [
      {
        name: "machine",
        value: "MACHINE",
        summary: "its id or name, as svirt label show tells; unknown: the files have no machine's mark",
      },
      DRY_RUN_OPTION,
      JSON_OPTION,
    ],
  },
  async run(call) {
    const machine = call.options.get("machine");
    if (machine === undefined) throw noMachine();
    const isDryRun = call.options.has(DRY_RUN_OPTION.name);
    const contexts = readFileContexts(call.node.host);
    const released = await releaseLabels(call.node, { paths: call.rest, machine, isDryRun }, contexts);
    return reportEach(call, released, (changes) =>
      printChanges(call, changes, `${isDryRun ? "Would be released" : "Released"}: `),
    );
  },
};

function noMachine(): SvirtError {
  return new SvirtError("Cannot release files: no machine is named", {
    kind: "usage",
    remedy: "Say which one has them no more: --machine MACHINE",
  });
}
