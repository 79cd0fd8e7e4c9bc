import { findVolume } from "../../../vm/volume/find-volume.ts";
import { type Command, JSON_OPTION, OF_POOL_OPTION, operand, VOLUME_OPERAND } from "../../command.ts";
import { printValue } from "../../print-value.ts";

/** `svirt vol-key VOLUME` */
export const command: Command = {
  spec: {
    name: "vol-key",
    summary: "print the key of a volume: the path of a file, the identifier of a device",
    recovery: "none",
    operands: [VOLUME_OPERAND],
    options: [OF_POOL_OPTION, JSON_OPTION],
  },
  async run(call) {
    const { key } = await findVolume(call.instance, operand(call, "vol"), call.options.get("pool"));
    printValue(call, key);
    return undefined;
  },
};
