import { getPoolFacts } from "../../../vm/pool/pool-facts.ts";
import { type Call, type Command, JSON_OPTION, operand, POOL_OPERAND, printJson } from "../../command.ts";
import { formatCapacity } from "../../output/format-capacity.ts";
import { oneLine } from "../../output/one-line.ts";
import { formatFacts } from "../../output/table.ts";
import { yesNo } from "../../output/yes-no.ts";

/** Decimals of a size in virsh's pool-info. */
const DECIMALS = 2;

/** `svirt pool-info POOL` */
export const command: Command = {
  spec: {
    name: "pool-info",
    summary: "show a storage pool's properties, state and space",
    details:
      "The space is the file system's, of the folder, now. A pool is inaccessible while its folder is missing.",
    recovery: "none",
    operands: [POOL_OPERAND],
    options: [{ name: "bytes", summary: "print bytes, without units" }, JSON_OPTION],
  },
  async run(call) {
    const { space, ...facts } = await getPoolFacts(call.instance, operand(call, "pool"));
    if (call.options.has("json")) printJson(call, { ...facts, ...space });
    else {
      call.output.print(
        formatFacts([
          ["Name", oneLine(facts.name)],
          ["UUID", facts.uuid],
          ["State", facts.state],
          ["Persistent", yesNo(facts.persistent)],
          ["Autostart", yesNo(facts.autostart)],
          ["Capacity", sizeOf(call, space?.capacityBytes)],
          ["Allocation", sizeOf(call, space?.allocationBytes)],
          ["Available", sizeOf(call, space?.availableBytes)],
        ]),
      );
    }
    return undefined;
  },
};

function sizeOf({ options }: Call, bytes: number | undefined): string | undefined {
  if (bytes === undefined) return undefined;
  return options.has("bytes") ? String(bytes) : formatCapacity(bytes, DECIMALS);
}
