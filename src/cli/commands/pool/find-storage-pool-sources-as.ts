import { findPoolSources } from "../../../vm/pool/made/find-groups.ts";
import { type Command, operand } from "../../command.ts";

/** `svirt find-storage-pool-sources-as TYPE [HOST] [PORT] [INITIATOR]` */
export const command: Command = {
  spec: {
    name: "find-storage-pool-sources-as",
    summary: "find the volume groups of this host, as sources of storage pools",
    recovery: "none",
    operands: [
      { name: "type", summary: "type of the pools: logical; for others svirt says which command finds them" },
      { name: "host", summary: "server to search", isOptional: true },
      { name: "port", summary: "port of the server", isOptional: true },
      { name: "initiator", summary: "name with which the host logs in to an iSCSI server", isOptional: true },
    ],
    options: [],
  },
  run(call) {
    call.output.print(`${findPoolSources(call.instance, operand(call, "type"))}\n`);
    return Promise.resolve(undefined);
  },
};
