import { readSaveImage } from "../../../vm/save/save-image.ts";
import { type Command, operand, SAVE_FILE_OPERAND } from "../../command.ts";
import { printXml, XPATH_OPTIONS } from "../../output/print-xml.ts";

/** `svirt save-image-dumpxml FILE` */
export const command: Command = {
  spec: {
    name: "save-image-dumpxml",
    summary: "print the XML of the domain in a saved file",
    recovery: "none",
    operands: [SAVE_FILE_OPERAND],
    options: [{ name: "security-info", summary: "include passwords; svirt stores none" }, ...XPATH_OPTIONS],
  },
  async run(call) {
    const { xml } = readSaveImage(call.instance, operand(call, "file"));
    printXml(call, `${xml.trimEnd()}\n`);
    return undefined;
  },
};
