import { getPoolXml } from "../../../vm/pool/pool-facts.ts";
import { type Command, JSON_OPTION, operand, POOL_OPERAND, printJson } from "../../command.ts";

/** `svirt pool-dumpxml POOL` */
export const command: Command = {
  spec: {
    name: "pool-dumpxml",
    summary: "print the XML of an active storage pool with its space and permissions, or of its definition",
    details:
      "With --json: the XML as a string, the pool's name and uuid, and whether the XML is an active pool's.",
    recovery: "none",
    operands: [POOL_OPERAND],
    options: [{ name: "inactive", summary: "use the definition, even if the pool is active" }, JSON_OPTION],
  },
  async run(call) {
    const form = call.options.has("inactive") ? "defined" : "active";
    const shown = await getPoolXml(call.instance, operand(call, "pool"), form);
    if (call.options.has("json")) printJson(call, shown);
    else call.output.print(`${shown.xml}\n`);
    return undefined;
  },
};
