import { getHostname } from "../../../vm/host/host-name.ts";
import { type Command, JSON_OPTION, printJson } from "../../command.ts";

/** `svirt hostname` */
export const command: Command = {
  spec: {
    name: "hostname",
    summary: "print the host's name",
    recovery: "none",
    operands: [],
    options: [JSON_OPTION],
  },
  async run(call) {
    const hostname = getHostname(call.instance);
    if (call.options.has("json")) printJson(call, { hostname });
    else call.output.print(`${hostname}\n\n`);
    return undefined;
  },
};
