import { discoveryRefusal } from "../../../storage/pool/rules/discovery.ts";
import { type Command, operand } from "../../command.ts";

/** `svirt find-storage-pool-sources-as TYPE [HOST] [PORT] [INITIATOR]` */
export const command: Command = {
  spec: {
    name: "find-storage-pool-sources-as",
    summary: "find sources of storage pools; svirt searches for none yet, and says which command does",
    recovery: "none",
    operands: [
      { name: "type", summary: "type of the pools, such as netfs" },
      { name: "host", summary: "server to search", isOptional: true },
      { name: "port", summary: "port of the server", isOptional: true },
      { name: "initiator", summary: "name with which the host logs in to an iSCSI server", isOptional: true },
    ],
    options: [],
  },
  run(call) {
    return Promise.reject(discoveryRefusal(operand(call, "type")));
  },
};
