import { planOnly } from "../../../vm/object-change/carry-out.ts";
import { poolStart, startPool } from "../../../vm/pool/start-pool.ts";
import { START_OPTIONS, startOptionsOf } from "../../arguments/pool-options.ts";
import { type Command, operand, POOL_OPERAND } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt pool-start POOL` */
export const command: Command = {
  spec: {
    name: "pool-start",
    summary: "make a defined storage pool active",
    details:
      "Mounts the source of a pool of type fs or netfs, and activates the volume group of a logical pool. Pools of types dir, disk, iscsi, mpath\n" +
      "and scsi are started, too. Any other pool is refused, with what to do instead.",
    recovery: "none",
    operands: [POOL_OPERAND],
    options: START_OPTIONS,
  },
  plan: async (call) =>
    await planOnly(call.instance, poolStart(call.instance, operand(call, "pool"), startOptionsOf(call))),
  async run(call) {
    const options = startOptionsOf(call);
    const { name } = await startPool(call.instance, operand(call, "pool"), options);
    call.output.print(`Pool ${oneLine(name)} started\n\n`);
    return undefined;
  },
};
