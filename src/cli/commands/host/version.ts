import { getHostQemuVersion } from "../../../vm/host/description.ts";
import { type Command, JSON_OPTION, printJson } from "../../command.ts";

/** `svirt version` */
export const command: Command = {
  spec: {
    name: "version",
    summary: "print the versions of svirt and QEMU",
    recovery: "root",
    operands: [],
    options: [JSON_OPTION],
  },
  async run(call) {
    const qemu = await getHostQemuVersion(call.instance);
    if (call.options.has("json")) printJson(call, { svirt: call.version, qemu });
    else call.output.print(`svirt ${call.version}\nQEMU ${qemu ?? "not found"}\n`);
    return undefined;
  },
};
