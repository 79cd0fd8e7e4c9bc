import { listCpuModels } from "../../../vm/capabilities/capabilities.ts";
import { type Command, JSON_OPTION, operand, printJson } from "../../command.ts";

/** `svirt cpu-models ARCH` */
export const command: Command = {
  spec: {
    name: "cpu-models",
    summary: "list the models of processors known to QEMU",
    recovery: "none",
    operands: [{ name: "arch", summary: "architecture: x86_64" }],
    options: [JSON_OPTION],
  },
  async run(call) {
    const models = await listCpuModels(call.instance, operand(call, "arch"));
    if (call.options.has("json")) printJson(call, models);
    else call.output.print(`${models.map((name) => `${name}\n`).join("")}\n`);
    return undefined;
  },
};
