import { findPoolSources } from "../../../vm/pool/made/find-groups.ts";
import { type Command, operand } from "../../command.ts";

/** `svirt find-storage-pool-sources TYPE [SRCSPEC]` */
export const command: Command = {
  spec: {
    name: "find-storage-pool-sources",
    summary: "find the volume groups of this host, as sources of storage pools",
    recovery: "none",
    operands: [
      { name: "type", summary: "type of the pools: logical; for others svirt says which command finds them" },
      { name: "srcSpec", summary: "source XML of the server to search, which is not read", isOptional: true },
    ],
    options: [],
  },
  run(call) {
    call.output.print(`${findPoolSources(call.instance, operand(call, "type"))}\n`);
    return Promise.resolve(undefined);
  },
};
