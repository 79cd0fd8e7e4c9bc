import { parseVolume } from "../../../storage/volume/document.ts";
import { createVolume } from "../../../vm/volume/create-volume.ts";
import { readInputFile } from "../../arguments/input-file.ts";
import { type Command, JSON_OPTION, operand, printJson } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt vol-create FOLDER FILE` */
export const command: Command = {
  spec: {
    name: "vol-create",
    summary: "create an empty image from storage volume XML, with the mode and label in it",
    details:
      "Takes a folder where virsh takes a pool. The format is raw or qcow2, with or without a backing file. The image is\n" +
      "sparse, even with <allocation>.",
    operands: [
      { name: "pool", summary: "the folder for the image" },
      { name: "file", summary: "volume XML: a file, or - for standard input" },
    ],
    options: [JSON_OPTION],
  },
  async run(call) {
    const file = operand(call, "file");
    const volume = parseVolume(readInputFile(call, file));
    const path = await createVolume(call.instance, operand(call, "pool"), volume);
    if (call.options.has("json")) printJson(call, { name: volume.name, path });
    else call.output.print(`Vol ${volume.name} created from ${oneLine(file)}\n\n`);
    return undefined;
  },
};
