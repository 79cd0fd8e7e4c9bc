import { thawFileSystems } from "../../../vm/guest-system/guest-files.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/** `svirt domfsthaw DOMAIN` */
export const command: Command = {
  spec: {
    name: "domfsthaw",
    summary: "have a guest write to its file systems again, by its agent",
    operands: [DOMAIN_OPERAND],
    options: [],
  },
  async run(call) {
    const count = await thawFileSystems(call.instance, operand(call, "domain"));
    call.output.print(`Thawed ${count} filesystem(s)\n\n`);
    return undefined;
  },
};
