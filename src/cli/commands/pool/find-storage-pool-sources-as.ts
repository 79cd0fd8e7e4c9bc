import { formatSearchedSource } from "../../../storage/pool/pool-options.ts";
import { findSources } from "../../../vm/pool/find-sources.ts";
import { type Command, operand } from "../../command.ts";

/** `svirt find-storage-pool-sources-as TYPE [HOST] [PORT] [INITIATOR]` */
export const command: Command = {
  spec: {
    name: "find-storage-pool-sources-as",
    summary: "print the possible sources of storage pools of a type: NFS exports or volume groups",
    recovery: "none",
    operands: [
      { name: "type", summary: "type of the pools: netfs or logical" },
      { name: "host", summary: "server to search, needed by netfs", isOptional: true },
      { name: "port", summary: "port of the server, not used by showmount", isOptional: true },
      { name: "initiator", summary: "name of an iSCSI initiator, not used for NFS", isOptional: true },
    ],
    options: [],
  },
  async run(call) {
    const [server, port, initiator] = ["host", "port", "initiator"].map((name) => call.operands.get(name));
    const spec = () =>
      server === undefined
        ? undefined
        : new TextEncoder().encode(formatSearchedSource(server, { port, initiator }));
    call.output.print(`${await findSources(call.instance, operand(call, "type"), spec)}\n`);
    return undefined;
  },
};
