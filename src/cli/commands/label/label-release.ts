import { SvirtError } from "../../../errors.ts";
import { releaseFileLabels } from "../../../vm/label/file-labels.ts";
import { type Command, JSON_OPTION } from "../../command.ts";
import { DRY_RUN_OPTION, printChanges } from "../../label-changes.ts";
import { reportEach } from "../../output/report-each.ts";

/** `svirt label release PATH... --machine MACHINE` */
export const command: Command = {
  spec: {
    name: "label release",
    summary: "remove the marks of another machine, off or no longer using the files",
    details:
      "On shared storage each machine marks the files of its guests, and refuses files with another machine's mark. A machine\n" +
      "that loses power leaves its marks. Make sure that the machine is off before you remove its marks: a guest that still\n" +
      "runs there loses its files, or shares them with another guest. Files without another mark get their labels back.\n" +
      "svirt label restore restores files left by this machine itself.",
    recovery: "root",
    operands: [
      { name: "path", summary: "files, folders or devices; for a symlink, its target", isRepeated: true },
    ],
    options: [
      {
        name: "machine",
        value: "MACHINE",
        summary: "its id or name, as svirt label show prints it; unknown for files without a machine's mark",
      },
      DRY_RUN_OPTION,
      JSON_OPTION,
    ],
  },
  async run(call) {
    const machine = call.options.get("machine");
    if (machine === undefined) throw noMachine();
    const isDryRun = call.options.has(DRY_RUN_OPTION.name);
    const released = await releaseFileLabels(call.instance, { paths: call.rest, machine, isDryRun });
    return reportEach(call, released, (changes) =>
      printChanges(call, changes, `${isDryRun ? "Would be released" : "Released"}: `),
    );
  },
};

function noMachine(): SvirtError {
  return new SvirtError("Cannot release files: no machine is named", {
    kind: "usage",
    remedy: "Name the machine whose marks to remove: --machine MACHINE",
  });
}
