import { getQemuVersion } from "../../../report/qemu-version.ts";
import { type Command, JSON_OPTION, printJson } from "../../command.ts";
import { sweepAsRoot } from "../../sweep-first.ts";

/** `svirt version` */
export const command: Command = {
  spec: {
    name: "version",
    summary: "the versions of svirt and of QEMU",
    operands: [],
    options: [JSON_OPTION],
  },
  async run(call) {
    await sweepAsRoot(call);
    const qemu = getQemuVersion(call.node.host, call.node.paths);
    if (call.options.has("json")) printJson(call, { svirt: call.version, qemu });
    else call.output.print(`svirt ${call.version}\nQEMU ${qemu ?? "not found"}\n`);
    return undefined;
  },
};
