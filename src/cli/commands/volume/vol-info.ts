import { showVolumeOf } from "../../../vm/volume/show-volume.ts";
import {
  type Call,
  type Command,
  IMAGE_OPERAND,
  JSON_OPTION,
  OF_POOL_OPTION,
  operand,
  printJson,
} from "../../command.ts";
import { formatCapacity } from "../../output/format-capacity.ts";
import { oneLine } from "../../output/one-line.ts";
import { formatFacts } from "../../output/table.ts";

/** Decimals of a size in virsh's vol-info. */
const DECIMALS = 2;

/** `svirt vol-info VOLUME` */
export const command: Command = {
  spec: {
    name: "vol-info",
    summary: "show the size of a volume, an image or a block device",
    recovery: "none",
    operands: [IMAGE_OPERAND],
    options: [
      { name: "bytes", summary: "print bytes, without units" },
      { name: "physical", summary: "show the size of the file instead of its allocation" },
      OF_POOL_OPTION,
      JSON_OPTION,
    ],
  },
  async run(call) {
    const { allocationBytes, capacityBytes, name, physicalBytes, type } = await showVolumeOf(
      call.instance,
      operand(call, "vol"),
      call.options.get("pool"),
    );
    const isPhysical = call.options.has("physical");
    if (call.options.has("json")) {
      printJson(call, { name, type, capacityBytes, allocationBytes, physicalBytes });
    } else {
      call.output.print(
        formatFacts([
          ["Name", oneLine(name)],
          ["Type", type],
          ["Capacity", size(call, capacityBytes)],
          isPhysical ? ["Physical", size(call, physicalBytes)] : ["Allocation", size(call, allocationBytes)],
        ]),
      );
    }
    return undefined;
  },
};

function size({ options }: Call, bytes: number | undefined): string {
  if (bytes === undefined) return "-";
  return options.has("bytes") ? `${bytes} bytes` : formatCapacity(bytes, DECIMALS);
}
