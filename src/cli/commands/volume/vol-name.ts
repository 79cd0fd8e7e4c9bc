import { findVolume } from "../../../vm/volume/find-volume.ts";
import { type Command, JSON_OPTION, operand, VOLUME_OPERAND } from "../../command.ts";
import { printValue } from "../../print-value.ts";

/** `svirt vol-name VOLUME` */
export const command: Command = {
  spec: {
    name: "vol-name",
    summary: "print the name of a volume",
    recovery: "none",
    operands: [{ ...VOLUME_OPERAND, summary: "key or path of a volume" }],
    options: [JSON_OPTION],
  },
  async run(call) {
    const { name } = await findVolume(call.instance, operand(call, "vol"));
    printValue(call, name);
    return undefined;
  },
};
