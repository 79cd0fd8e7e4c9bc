import { findVolume } from "../../../vm/volume/find-volume.ts";
import { type Command, JSON_OPTION, operand, VOLUME_OPERAND } from "../../command.ts";
import { printValue } from "../../print-value.ts";

/** `svirt vol-pool VOLUME` */
export const command: Command = {
  spec: {
    name: "vol-pool",
    summary: "print the name of a volume's pool",
    recovery: "none",
    operands: [{ ...VOLUME_OPERAND, summary: "key or path of a volume" }],
    options: [{ name: "uuid", summary: "print the pool's uuid instead" }, JSON_OPTION],
  },
  async run(call) {
    const { pool } = await findVolume(call.instance, operand(call, "vol"));
    const shown = call.options.has("uuid") ? pool.uuid : pool.name;
    printValue(call, shown);
    return undefined;
  },
};
