import { getSavedXml } from "../../../vm/save/save-image.ts";
import { type Command, operand, SAVE_FILE_OPERAND } from "../../command.ts";

/** `svirt save-image-dumpxml FILE` */
export const command: Command = {
  spec: {
    name: "save-image-dumpxml",
    summary: "print the XML of the domain in a saved file",
    recovery: "none",
    operands: [SAVE_FILE_OPERAND],
    options: [{ name: "security-info", summary: "include passwords, possibly saved by libvirt" }],
  },
  async run(call) {
    const showsSecrets = call.options.has("security-info");
    const xml = getSavedXml(call.instance, operand(call, "file"), { showsSecrets });
    call.output.print(`${xml.trimEnd()}\n\n`);
    return undefined;
  },
};
