import { downloadVolume } from "../../../vm/volume/content/download-volume.ts";
import { printVolume } from "../../../vm/volume/print-volume.ts";
import { type Command, OF_POOL_OPTION, operand, VOLUME_OPERAND } from "../../command.ts";
import { VERBOSE_OPTION, withProgress } from "../../output/progress.ts";
import { PART_OPTIONS, partOf } from "../../volume-options.ts";

/** Names of standard output: virsh opens the second. */
const OUTPUT: ReadonlySet<string> = new Set(["-", "/dev/stdout"]);

/** `svirt vol-download VOLUME FILE` */
export const command: Command = {
  spec: {
    name: "vol-download",
    summary: "copy the data of a volume to a file or to standard output",
    details:
      "FILE is the path of a file, or - for standard output. A new file has the mode 0600. An existing file is replaced after everything is written, and its owner and mode stay.\n" +
      "Refuses a volume used by a guest.",
    operands: [VOLUME_OPERAND, { name: "file", summary: "path of the file to write, or -" }],
    options: [OF_POOL_OPTION, ...PART_OPTIONS, VERBOSE_OPTION],
  },
  async run(call) {
    const volume = { key: operand(call, "vol"), pool: call.options.get("pool") };
    const [file, part] = [operand(call, "file"), partOf(call)];
    const print = (bytes: Uint8Array): boolean => call.output.printBytes(bytes);
    await withProgress(call, "Download", async (onProgress) =>
      OUTPUT.has(file)
        ? await printVolume(call.instance, volume, { print, part: { ...part, onProgress } })
        : await downloadVolume(call.instance, volume, { file, part: { ...part, onProgress } }),
    );
    return undefined;
  },
};
