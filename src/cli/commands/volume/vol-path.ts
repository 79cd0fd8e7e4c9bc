import { findVolume } from "../../../vm/volume/find-volume.ts";
import { type Command, JSON_OPTION, OF_POOL_OPTION, operand, VOLUME_OPERAND } from "../../command.ts";
import { printValue } from "../../print-value.ts";

/** `svirt vol-path VOLUME` */
export const command: Command = {
  spec: {
    name: "vol-path",
    summary: "print the path of a volume",
    recovery: "none",
    operands: [VOLUME_OPERAND],
    options: [OF_POOL_OPTION, JSON_OPTION],
  },
  async run(call) {
    const { path } = await findVolume(call.instance, operand(call, "vol"), call.options.get("pool"));
    printValue(call, path);
    return undefined;
  },
};
