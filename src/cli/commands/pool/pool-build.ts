import { buildPool, planPoolBuild } from "../../../vm/pool/build-pool.ts";
import { formattingBy, OVERWRITE_OPTIONS } from "../../arguments/pool-options.ts";
import { type Command, operand, POOL_OPERAND } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt pool-build POOL` */
export const command: Command = {
  spec: {
    name: "pool-build",
    summary: "make the folder, volume group or partition table of an inactive storage pool",
    details:
      "Makes the folders above it, too, with mode 0711, owned by root. The pool's folder gets the <permissions> in the XML, also if it\n" +
      "exists; its files are left alone. With --overwrite or --no-overwrite mkfs makes a file system on the device of a pool of type fs.\n" +
      "Of a pool of type logical, pvcreate and vgcreate make the volume group on its devices; of a disk, sfdisk makes a partition table, gpt\n" +
      "or dos. Both need empty devices, or --overwrite, and no device used by the host or a guest or named by a\n" +
      "definition.",
    recovery: "none",
    operands: [POOL_OPERAND],
    options: OVERWRITE_OPTIONS,
  },
  plan: async (call) =>
    await planPoolBuild(call.instance, operand(call, "pool"), { formatting: formattingBy(call) }),
  async run(call) {
    const formatting = formattingBy(call);
    const { name } = await buildPool(call.instance, operand(call, "pool"), { formatting });
    call.output.print(`Pool ${oneLine(name)} built\n\n`);
    return undefined;
  },
};
