import { planUpload, uploadVolume } from "../../../vm/volume/content/upload-volume.ts";
import { type Call, type Command, OF_POOL_OPTION, operand, VOLUME_OPERAND } from "../../command.ts";
import { VERBOSE_OPTION, withProgress } from "../../output/progress.ts";
import { PART_OPTIONS, partOf } from "../../volume-options.ts";

/** `svirt vol-upload VOLUME FILE` */
export const command: Command = {
  spec: {
    name: "vol-upload",
    summary: "overwrite a volume with the data of a file",
    details:
      "FILE is a regular file, or - for standard input. Refuses a volume used by a guest or named by a definition, and a volume\n" +
      "below another volume or a definition's disk. Owner, mode and label stay, and the size too, unless the data ends behind\n" +
      "it. An interrupted upload leaves a partly written volume, which svirt audit names.",
    operands: [VOLUME_OPERAND, { name: "file", summary: "path of the file to read" }],
    options: [OF_POOL_OPTION, ...PART_OPTIONS, VERBOSE_OPTION],
  },
  plan: async (call) =>
    await planUpload(call.instance, volumeOf(call), { file: operand(call, "file"), part: partOf(call) }),
  async run(call) {
    const [file, part] = [operand(call, "file"), partOf(call)];
    await withProgress(
      call,
      "Upload",
      async (onProgress) =>
        await uploadVolume(call.instance, volumeOf(call), { file, part: { ...part, onProgress } }),
    );
    return undefined;
  },
};

function volumeOf(call: Call): Parameters<typeof planUpload>[1] {
  return { key: operand(call, "vol"), pool: call.options.get("pool") };
}
