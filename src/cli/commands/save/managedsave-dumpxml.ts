import { getManagedSaveXml } from "../../../vm/save/change-save-image.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { printXml, XPATH_OPTIONS } from "../../output/print-xml.ts";

/** `svirt managedsave-dumpxml DOMAIN` */
export const command: Command = {
  spec: {
    name: "managedsave-dumpxml",
    summary: "print the XML of a domain in the state that svirt managedsave saved",
    operands: [DOMAIN_OPERAND],
    options: [{ name: "security-info", summary: "include passwords; svirt stores none" }, ...XPATH_OPTIONS],
  },
  async run(call) {
    printXml(call, `${getManagedSaveXml(call.instance, operand(call, "domain")).trimEnd()}\n`);
    return undefined;
  },
};
