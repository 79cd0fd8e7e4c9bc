import { readDescription, writeDescription } from "../../../vm/change/describe-domain.ts";
import { NEW_TEXT_OPERAND, TITLE_OPTION } from "../../arguments/descriptions.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../../command.ts";
import { CRASH_OPTION } from "../../crash-drill.ts";
import { askOf, IMPACT_OPTIONS, printChanged } from "../../device-change.ts";
import { DRY_RUN_OPTION } from "../../label-changes.ts";

/** `svirt desc DOMAIN [TEXT...]` */
export const command: Command = {
  spec: {
    name: "desc",
    summary: "show or set a domain's description or title",
    operands: [DOMAIN_OPERAND, NEW_TEXT_OPERAND],
    options: [TITLE_OPTION, ...IMPACT_OPTIONS, DRY_RUN_OPTION, CRASH_OPTION],
  },
  async run(call) {
    const which = call.options.has("title") ? "title" : "description";
    const ask = askOf(call);
    if (call.rest.length === 0) {
      const nothing = `No ${which} for domain: ${operand(call, "domain")}`;
      call.output.print(`${readDescription(call.instance, ask, which) ?? nothing}\n`);
      return undefined;
    }
    const changed = await writeDescription(call.instance, ask, { which, text: call.rest.join(" ") });
    if (ask.isDryRun) printChanged(call, changed, "");
    else call.output.print(`Domain ${which} updated successfully\n`);
    return undefined;
  },
};
