import { formatPoolCapabilities } from "../../../storage/pool/capabilities.ts";
import { type Command, JSON_OPTION, printJson } from "../../command.ts";

/** `svirt pool-capabilities` */
export const command: Command = {
  spec: {
    name: "pool-capabilities",
    summary: "print the types of storage pools started here, and their formats, as libvirt's XML",
    recovery: "none",
    operands: [],
    options: [JSON_OPTION],
  },
  run(call) {
    const xml = formatPoolCapabilities();
    if (call.options.has("json")) printJson(call, xml);
    else call.output.print(`${xml}\n`);
    return Promise.resolve(undefined);
  },
};
