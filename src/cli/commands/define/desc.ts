import { readDescription, writeDescription } from "../../../vm/change/describe-domain.ts";
import { NEW_TEXT_OPERAND, TITLE_OPTION } from "../../arguments/descriptions.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { askOf, IMPACT_OPTIONS } from "../../device-change.ts";

/** `svirt desc DOMAIN [TEXT...]` */
export const command: Command = {
  spec: {
    name: "desc",
    summary: "show or set a domain's description or title",
    operands: [DOMAIN_OPERAND, NEW_TEXT_OPERAND],
    options: [TITLE_OPTION, ...IMPACT_OPTIONS],
  },
  async run(call) {
    const which = call.options.has("title") ? "title" : "description";
    const ask = askOf(call);
    if (call.rest.length === 0) {
      const nothing = `No ${which} for domain: ${operand(call, "domain")}`;
      call.output.print(`${readDescription(call.instance, ask, which) ?? nothing}\n`);
      return undefined;
    }
    await writeDescription(call.instance, ask, { which, text: call.rest.join(" ") });
    call.output.print(`Domain ${which} updated successfully\n`);
    return undefined;
  },
};
