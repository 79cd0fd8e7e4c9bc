import { findDomain } from "../../vm/find-domain.ts";
import { formatLive } from "../../vm/live-xml.ts";
import { type Command, DOMAIN_OPERAND, operand } from "../command.ts";
import { sweepFirst } from "../sweep-first.ts";

/** `svirt dumpxml DOMAIN` */
export const command: Command = {
  spec: {
    name: "dumpxml",
    summary: "the XML of a domain: as it runs, with its labels, or as it is defined",
    operands: [DOMAIN_OPERAND],
    options: [{ name: "inactive", summary: "as it is defined, even while it runs" }],
  },
  async run(call) {
    await sweepFirst(call);
    const { definition, guest } = findDomain(call.node, operand(call, "domain"));
    const isLive = guest !== undefined && !call.options.has("inactive");
    const xml = isLive ? formatLive(call.node, guest) : (definition?.xml ?? guest?.xml ?? "");
    call.output.print(`${xml}\n`);
    return undefined;
  },
};
