import { planRestore, restoreDomain } from "../../../vm/save/restore-domain.ts";
import { resumesOf, WAKING_OPTIONS } from "../../arguments/exclusive.ts";
import { readInputFile } from "../../arguments/input-file.ts";
import { type Call, type Command, operand, SAVE_FILE_OPERAND } from "../../command.ts";
import { CRASH_OPTION, crashDrill } from "../../crash-drill.ts";
import { oneLine } from "../../output/one-line.ts";
import { warnOfMode } from "../../output/warn-of-mode.ts";

/** `svirt restore FILE` */
export const command: Command = {
  spec: {
    name: "restore",
    summary: "start a guest from the state saved by svirt save",
    details: [
      "The guest is labelled as at any start. The file and its label stay: svirt reads the file and gives QEMU a pipe.",
      "Restore a file only once: as soon as the guest has run, its disks no longer match the file.",
    ].join("\n"),
    operands: [SAVE_FILE_OPERAND],
    options: [
      {
        name: "xml",
        value: "file",
        summary: "a changed definition of the same domain, such as with other paths",
      },
      ...WAKING_OPTIONS,
      CRASH_OPTION,
    ],
  },
  plan: async (call) => await planRestore(call.instance, operand(call, "file"), askedOf(call)),
  async run(call) {
    const path = operand(call, "file");
    const options = { ...askedOf(call), observer: crashDrill(call) };
    const { guest } = await restoreDomain(call.instance, path, options);
    warnOfMode(call, guest);
    call.output.print(`Domain restored from ${oneLine(path)}\n\n`);
    return undefined;
  },
};

function askedOf(call: Call): Parameters<typeof planRestore>[2] {
  const other = call.options.get("xml");
  return { resumes: resumesOf(call), xml: other === undefined ? undefined : readInputFile(call, other) };
}
