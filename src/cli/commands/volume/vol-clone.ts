import { cloneVolume, planClone } from "../../../vm/volume/copy-volume.ts";
import {
  type Call,
  type Command,
  JSON_OPTION,
  OF_POOL_OPTION,
  operand,
  printJson,
  VOLUME_OPERAND,
} from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";
import { copyFlags, NO_PREALLOCATION_OPTION, REFLINK_OPTION } from "../../volume-options.ts";

/** `svirt vol-clone VOLUME NEWNAME` */
export const command: Command = {
  spec: {
    name: "vol-clone",
    summary: "create a volume with the data of another volume, in its pool",
    details:
      "The data is copied by the kernel: the new volume is as sparse as the other volume, and shares its space where the file system\n" +
      "can. It has the owner and the mode of the other volume, and the policy's label. Refuses a volume used by a guest.",
    operands: [VOLUME_OPERAND, { name: "newname", summary: "name of the new volume" }],
    options: [OF_POOL_OPTION, NO_PREALLOCATION_OPTION, REFLINK_OPTION, JSON_OPTION],
  },
  plan: async (call) => await planClone(call.instance, operand(call, "newname"), cloneOf(call)),
  async run(call) {
    const made = await cloneVolume(call.instance, operand(call, "newname"), cloneOf(call));
    if (call.options.has("json")) printJson(call, made);
    else call.output.print(`Vol ${oneLine(made.name)} cloned from ${oneLine(made.source)}\n\n`);
    return undefined;
  },
};

function cloneOf(call: Call): Parameters<typeof planClone>[2] {
  return {
    source: { key: operand(call, "vol"), pool: call.options.get("pool") },
    flags: copyFlags(call),
  };
}
