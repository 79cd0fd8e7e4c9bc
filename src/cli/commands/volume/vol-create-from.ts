import { createVolumeFromVolume, planVolumeFromVolume } from "../../../vm/volume/copy-volume.ts";
import { readInputFile } from "../../arguments/input-file.ts";
import {
  type Call,
  type Command,
  JSON_OPTION,
  operand,
  POOL_OPERAND,
  printJson,
  VALIDATE_OPTION,
  VOLUME_OPERAND,
} from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { VERBOSE_OPTION, withProgress } from "../../output/progress.ts";
import { copyFlags, inputFormat, NO_PREALLOCATION_OPTION, REFLINK_OPTION } from "../../volume-options.ts";

/** `svirt vol-create-from POOL FILE VOLUME` */
export const command: Command = {
  spec: {
    name: "vol-create-from",
    summary: "create a volume from storage volume XML, with the data of another volume",
    details:
      "Raw and qcow2 images are converted into each other, and a qcow2 image with a backing file into an image without it, unless the XML has\n" +
      "the same <backingStore>. Properties left out in the XML come from a qcow2 source; without <format> the volume is raw. It may be larger. A\n" +
      "raw copy of a raw volume is sparse if <allocation> is less than the other volume's capacity. Refuses a volume used by a guest. A\n" +
      "logical volume or a partition gets the other volume's data, as a guest sees it, and zeros behind it.",
    operands: [
      POOL_OPERAND,
      { name: "file", summary: "volume XML: a file, or - for standard input" },
      VOLUME_OPERAND,
    ],
    options: [
      { name: "inputpool", value: "POOL", summary: "name or uuid of the other volume's pool" },
      {
        name: "inputformat",
        value: "FORMAT",
        summary: "raw or qcow2: format of the other volume, if its first bytes may be a guest's",
      },
      NO_PREALLOCATION_OPTION,
      REFLINK_OPTION,
      VERBOSE_OPTION,
      VALIDATE_OPTION,
      JSON_OPTION,
    ],
  },
  plan: async (call) => await planVolumeFromVolume(call.instance, operand(call, "pool"), copyOf(call)),
  async run(call) {
    const copy = copyOf(call);
    const pool = operand(call, "pool");
    const made = await withProgress(
      call,
      "Convert",
      async (onProgress) => await createVolumeFromVolume(call.instance, pool, { ...copy, onProgress }),
    );
    if (call.options.has("json")) printJson(call, made);
    else call.output.print(`Vol ${oneLine(made.name)} created from input vol ${oneLine(made.source)}\n\n`);
    return undefined;
  },
};

function copyOf(call: Call): Parameters<typeof planVolumeFromVolume>[2] {
  const format = inputFormat(call);
  const source = { key: operand(call, "vol"), pool: call.options.get("inputpool"), format };
  return { source, bytes: readInputFile(call, operand(call, "file")), flags: copyFlags(call) };
}
