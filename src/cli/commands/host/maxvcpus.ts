import { getMostVcpus } from "../../../vm/capabilities/capabilities.ts";
import { readVirtType } from "../../arguments/virt-type.ts";
import { type Command, JSON_OPTION, printJson } from "../../command.ts";

/** `svirt maxvcpus` */
export const command: Command = {
  spec: {
    name: "maxvcpus",
    summary: "print the maximum number of virtual CPUs of a guest",
    recovery: "none",
    operands: [],
    options: [
      { name: "type", summary: "kvm or qemu; default: kvm if /dev/kvm exists", value: "TYPE" },
      JSON_OPTION,
    ],
  },
  async run(call) {
    const most = await getMostVcpus(call.instance, readVirtType(call, "type"));
    if (call.options.has("json")) printJson(call, { maxvcpus: most });
    else call.output.print(`${most}\n\n`);
    return undefined;
  },
};
