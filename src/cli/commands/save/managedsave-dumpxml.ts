import { getManagedSaveXml } from "../../../vm/save/change-save-image.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/** `svirt managedsave-dumpxml DOMAIN` */
export const command: Command = {
  spec: {
    name: "managedsave-dumpxml",
    summary: "print the XML of a domain in the state saved by svirt managedsave",
    operands: [DOMAIN_OPERAND],
    options: [{ name: "security-info", summary: "include passwords, possibly saved by libvirt" }],
  },
  async run(call) {
    const showsSecrets = call.options.has("security-info");
    const xml = getManagedSaveXml(call.instance, operand(call, "domain"), { showsSecrets });
    call.output.print(`${xml.trimEnd()}\n\n`);
    return undefined;
  },
};
