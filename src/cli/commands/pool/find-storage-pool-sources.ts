import { findSources } from "../../../vm/pool/find-sources.ts";
import { readInputFile } from "../../arguments/input-file.ts";
import { type Command, operand } from "../../command.ts";

/** `svirt find-storage-pool-sources TYPE [SRCSPEC]` */
export const command: Command = {
  spec: {
    name: "find-storage-pool-sources",
    summary: "print the possible sources of storage pools of a type: NFS exports or volume groups",
    recovery: "none",
    operands: [
      { name: "type", summary: "type of the pools: netfs or logical" },
      {
        name: "srcSpec",
        summary: "XML of the <source> with the server, needed by netfs: a file, or -",
        isOptional: true,
      },
    ],
    options: [],
  },
  async run(call) {
    const file = call.operands.get("srcSpec");
    const spec = () => (file === undefined ? undefined : readInputFile(call, file));
    call.output.print(`${await findSources(call.instance, operand(call, "type"), spec)}\n`);
    return undefined;
  },
};
