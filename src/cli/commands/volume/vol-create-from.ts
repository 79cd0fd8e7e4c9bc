import { createVolumeFromVolume } from "../../../vm/volume/copy-volume.ts";
import { readInputFile } from "../../arguments/input-file.ts";
import {
  type Command,
  JSON_OPTION,
  operand,
  POOL_OPERAND,
  printJson,
  VOLUME_OPERAND,
} from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { copyFlags, NO_PREALLOCATION_OPTION, REFLINK_OPTION } from "../../volume-options.ts";

/** `svirt vol-create-from POOL FILE VOLUME` */
export const command: Command = {
  spec: {
    name: "vol-create-from",
    summary: "create a volume from storage volume XML, with the data of another volume",
    details:
      "The new volume has the format of the other one: images are copied, not converted. A raw one may be larger, and is sparse if\n" +
      "<allocation> is less than the other one's capacity. Refuses a volume that a guest uses. A logical\n" +
      "volume gets the data of a raw volume, and zeros behind it.",
    operands: [
      POOL_OPERAND,
      { name: "file", summary: "volume XML: a file, or - for standard input" },
      VOLUME_OPERAND,
    ],
    options: [
      { name: "inputpool", value: "POOL", summary: "name or uuid of the other volume's pool" },
      NO_PREALLOCATION_OPTION,
      REFLINK_OPTION,
      JSON_OPTION,
    ],
  },
  async run(call) {
    const source = { key: operand(call, "volume"), pool: call.options.get("inputpool") };
    const bytes = readInputFile(call, operand(call, "file"));
    const flags = copyFlags(call);
    const made = await createVolumeFromVolume(call.instance, operand(call, "pool"), { bytes, source, flags });
    if (call.options.has("json")) printJson(call, made);
    else call.output.print(`Vol ${oneLine(made.name)} created from input vol ${oneLine(made.source)}\n\n`);
    return undefined;
  },
};
