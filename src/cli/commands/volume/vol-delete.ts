import { deleteVolume, planDeletion } from "../../../vm/volume/delete-volume.ts";
import {
  type Command,
  JSON_OPTION,
  OF_POOL_OPTION,
  operand,
  printJson,
  VOLUME_OPERAND,
} from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt vol-delete VOLUME` */
export const command: Command = {
  spec: {
    name: "vol-delete",
    summary: "delete a volume of a pool",
    details:
      "Refuses a volume used by a guest or named by a definition, the backing file of another volume or of a\n" +
      "definition's disk, a volume with snapshots, and anything other than a file, a logical volume and a partition.",
    operands: [VOLUME_OPERAND],
    options: [OF_POOL_OPTION, JSON_OPTION],
  },
  plan: async (call) =>
    await planDeletion(call.instance, { key: operand(call, "vol"), pool: call.options.get("pool") }),
  async run(call) {
    const key = operand(call, "vol");
    const deleted = await deleteVolume(call.instance, { key, pool: call.options.get("pool") });
    if (call.options.has("json")) printJson(call, deleted);
    else call.output.print(`Vol ${oneLine(key)} deleted\n\n`);
    return undefined;
  },
};
