import { editSaveImage } from "../../../vm/save/edit-save-image.ts";
import { resumesOf, WAKING_OPTIONS } from "../../arguments/exclusive.ts";
import { type Command, operand, SAVE_FILE_OPERAND } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt save-image-edit FILE` */
export const command: Command = {
  spec: {
    name: "save-image-edit",
    summary: "change the XML of the domain in a saved file, with an editor",
    details:
      "The editor and the new text are treated as by edit. --running and --paused apply if the text is unchanged, too.",
    operands: [SAVE_FILE_OPERAND],
    options: [...WAKING_OPTIONS],
  },
  async run(call) {
    const file = operand(call, "file");
    const { isChanged } = await editSaveImage(call.instance, file, resumesOf(call));
    const shown = oneLine(file);
    call.output.print(
      isChanged
        ? `State file ${shown} edited.\n\n`
        : `Saved image ${shown} XML configuration not changed.\n\n`,
    );
    return undefined;
  },
};
