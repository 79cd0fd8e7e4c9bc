import { destroyDomain } from "../../../vm/end/destroy.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { CRASH_OPTION, crashDrill } from "../../crash-drill.ts";
import { sweepFirst } from "../../sweep-first.ts";

/** `svirt destroy DOMAIN` */
export const command: Command = {
  spec: {
    name: "destroy",
    summary: "end a guest at once and put every label back",
    operands: [DOMAIN_OPERAND],
    options: [CRASH_OPTION],
  },
  async run(call) {
    // Its changes end with it: its QEMU need not be asked.
    await sweepFirst(call, []);
    const { did, name } = await destroyDomain(call.node, operand(call, "domain"), crashDrill(call));
    call.output.print(did ? `Domain '${name}' destroyed\n\n` : `Domain '${name}' is not running\n\n`);
    return undefined;
  },
};
