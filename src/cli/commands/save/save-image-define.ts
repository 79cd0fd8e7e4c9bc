import { changeSaveImage } from "../../../vm/save/change-save-image.ts";
import { resumesOf, WAKING_OPTIONS } from "../../arguments/exclusive.ts";
import { readInputFile } from "../../arguments/input-file.ts";
import { CHANGED_XML_OPERAND, type Command, operand, SAVE_FILE_OPERAND } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt save-image-define FILE XML` */
export const command: Command = {
  spec: {
    name: "save-image-define",
    summary: "replace the XML of the domain in a saved file",
    operands: [SAVE_FILE_OPERAND, CHANGED_XML_OPERAND],
    options: [...WAKING_OPTIONS],
  },
  async run(call) {
    const file = operand(call, "file");
    const change = { resumes: resumesOf(call), xml: readInputFile(call, operand(call, "xml")) };
    await changeSaveImage(call.instance, file, change);
    call.output.print(`State file ${oneLine(file)} updated.\n\n`);
    return undefined;
  },
};
