import { planSaveOf, saveDomain } from "../../../vm/save/save-domain.ts";
import { resumesOf, WAKING_OPTIONS } from "../../arguments/exclusive.ts";
import { readInputFile } from "../../arguments/input-file.ts";
import { type Call, type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { CRASH_OPTION, crashDrill } from "../../crash-drill.ts";
import { oneLine } from "../../output/one-line.ts";
import { VERBOSE_OPTION, withProgress } from "../../output/progress.ts";

/** `svirt save DOMAIN FILE` */
export const command: Command = {
  spec: {
    name: "save",
    summary: "save a guest's state to a file, and end the guest",
    details: [
      "svirt restore FILE resumes the guest. The file belongs to root and never has the guest's label: QEMU writes into a",
      "pipe. An existing file is replaced after everything is written. After an error the guest keeps running.",
    ].join("\n"),
    operands: [DOMAIN_OPERAND, { name: "file", summary: "path of the file to write" }],
    options: [
      {
        name: "xml",
        value: "file",
        summary: "a changed definition of the same domain, such as with other paths, for the restore",
      },
      ...WAKING_OPTIONS,
      VERBOSE_OPTION,
      CRASH_OPTION,
    ],
  },
  plan: async (call) => await planSaveOf(call.instance, operand(call, "domain"), askedOf(call)),
  async run(call) {
    const [asked, observer] = [askedOf(call), crashDrill(call)];
    const { name } = await withProgress(call, "Save", (onProgress) =>
      saveDomain(call.instance, operand(call, "domain"), { ...asked, observer, onProgress }),
    );
    call.output.print(`\nDomain '${name}' saved to ${oneLine(asked.path)}\n\n`);
    return undefined;
  },
};

function askedOf(call: Call): Parameters<typeof planSaveOf>[2] {
  const other = call.options.get("xml");
  const xml = other === undefined ? undefined : readInputFile(call, other);
  return { path: operand(call, "file"), resumes: resumesOf(call), xml };
}
