import { formatVolume } from "../../domain/volume.ts";
import { showVolume } from "../../vm/volume/show-volume.ts";
import { type Command, JSON_OPTION, operand, printJson, VOLUME_OPERAND } from "../command.ts";

/** `svirt vol-dumpxml VOLUME` */
export const command: Command = {
  spec: {
    name: "vol-dumpxml",
    summary: "an image or a block device as libvirt's storage volume XML, with its owner, mode and label",
    details:
      "Its format is told by its first bytes. A start never goes by that: it takes the domain's own word.",
    operands: [VOLUME_OPERAND],
    options: [JSON_OPTION],
  },
  run(call) {
    const volume = showVolume(call.node, operand(call, "volume"));
    if (call.options.has("json")) printJson(call, volume);
    else call.output.print(`${formatVolume(volume)}\n`);
    return Promise.resolve(undefined);
  },
};
