import { undefineDomain } from "../../../vm/define/define.ts";
import { onlyOne } from "../../arguments/exclusive.ts";
import { type Call, type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/** `svirt undefine DOMAIN` */
export const command: Command = {
  spec: {
    name: "undefine",
    summary: "forget a domain's definition; a running guest goes on without",
    operands: [DOMAIN_OPERAND],
    options: [
      { name: "managed-save", summary: "and the state that svirt managedsave has left" },
      { name: "nvram", summary: "and the variables of its UEFI" },
      { name: "keep-nvram", summary: "but not the variables of its UEFI" },
    ],
  },
  async run(call) {
    const { name } = await undefineDomain(call.node, operand(call, "domain"), {
      managedSave: call.options.has("managed-save"),
      nvram: whatOfNvram(call),
    });
    call.output.print(`Domain '${name}' has been undefined\n\n`);
    return undefined;
  },
};

function whatOfNvram(call: Call): "remove" | "keep" | undefined {
  const asked = onlyOne(call, ["nvram", "keep-nvram"]);
  if (asked === undefined) return undefined;
  return asked === "nvram" ? "remove" : "keep";
}
