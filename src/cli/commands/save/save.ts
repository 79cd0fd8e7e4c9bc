import { saveDomain } from "../../../vm/save/save-domain.ts";
import { WAKING_OPTIONS, wakesOf } from "../../arguments/exclusive.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { CRASH_OPTION, crashDrill } from "../../crash-drill.ts";
import { VERBOSE_OPTION, withProgress } from "../../output/progress.ts";

/** `svirt save DOMAIN FILE` */
export const command: Command = {
  spec: {
    name: "save",
    summary: "write a guest's state to a file and end it",
    details: [
      "svirt restore FILE lets it go on from there. The file is root's and never has the guest's label: QEMU writes into a",
      "pipe. A file that is there is replaced once all is written. If it fails, the guest goes on.",
    ].join("\n"),
    operands: [DOMAIN_OPERAND, { name: "file", summary: "where to write it" }],
    options: [...WAKING_OPTIONS, VERBOSE_OPTION, CRASH_OPTION],
  },
  async run(call) {
    const [wakes, watch, path] = [wakesOf(call), crashDrill(call), operand(call, "file")];
    const { name } = await withProgress(call, "Save", (onProgress) =>
      saveDomain(call.node, operand(call, "domain"), { path, wakes, watch, onProgress }),
    );
    call.output.print(`\nDomain '${name}' saved to ${path}\n\n`);
    return undefined;
  },
};
