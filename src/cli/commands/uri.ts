import { type Command, JSON_OPTION, printJson } from "../command.ts";

/** What programs that know virsh ask before all else. */
const URI = "qemu:///system";

/** `svirt uri` */
export const command: Command = {
  spec: {
    name: "uri",
    summary: "which hypervisor and which instance this is, in libvirt's words",
    operands: [],
    options: [JSON_OPTION],
  },
  async run(call) {
    if (call.options.has("json")) printJson(call, { uri: URI });
    else call.output.print(`${URI}\n\n`);
    return undefined;
  },
};
