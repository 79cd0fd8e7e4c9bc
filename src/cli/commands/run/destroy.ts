import { destroyDomain } from "../../../vm/end/destroy.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { CRASH_OPTION, crashDrill } from "../../crash-drill.ts";

/** `svirt destroy DOMAIN` */
export const command: Command = {
  spec: {
    name: "destroy",
    summary: "end a guest immediately and restore all labels",
    recovery: "others",
    operands: [DOMAIN_OPERAND],
    options: [
      { name: "graceful", summary: "do not kill a guest that does not end within 15 seconds: fail instead" },
      CRASH_OPTION,
    ],
  },
  async plan(call) {
    const { planDomain } = await import("../../../vm/plan/plan-domain.ts");
    return await planDomain(call.instance, { key: operand(call, "domain") }, "end");
  },
  async run(call) {
    const { did, name } = await destroyDomain(call.instance, operand(call, "domain"), {
      isGraceful: call.options.has("graceful"),
      observer: crashDrill(call),
    });
    call.output.print(did ? `Domain '${name}' destroyed\n\n` : `Domain '${name}' is not running\n\n`);
    return undefined;
  },
};
