import { discoveryRefusal } from "../../../storage/pool/rules/discovery.ts";
import { type Command, operand } from "../../command.ts";

/** `svirt find-storage-pool-sources TYPE [SRCSPEC]` */
export const command: Command = {
  spec: {
    name: "find-storage-pool-sources",
    summary: "find sources of storage pools; svirt searches for none yet, and says which command does",
    recovery: "none",
    operands: [
      { name: "type", summary: "type of the pools, such as netfs" },
      { name: "srcSpec", summary: "source XML of the server to search, which is not read", isOptional: true },
    ],
    options: [],
  },
  run(call) {
    return Promise.reject(discoveryRefusal(operand(call, "type")));
  },
};
