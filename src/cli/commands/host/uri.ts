import { getUri } from "../../../vm/host/host-name.ts";
import { type Command, JSON_OPTION, printJson } from "../../command.ts";

/** `svirt uri`, the first call of programs written for virsh. */
export const command: Command = {
  spec: {
    name: "uri",
    summary: "print the hypervisor and the instance, as libvirt's URI",
    recovery: "none",
    operands: [],
    options: [JSON_OPTION],
  },
  async run(call) {
    const uri = getUri(call.instance);
    if (call.options.has("json")) printJson(call, { uri });
    else call.output.print(`${uri}\n\n`);
    return undefined;
  },
};
