import { formatDomain, parseDomainText } from "../../domain/document.ts";
import { findDomain } from "../../vm/find-domain.ts";
import type { GuestRecord } from "../../vm/record.ts";
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
    const xml = isLive ? formatLive(guest) : (definition?.xml ?? guest?.xml ?? "");
    call.output.print(`${xml}\n`);
    return undefined;
  },
};

function formatLive(guest: GuestRecord): string {
  const domain = parseDomainText(guest.xml);
  const { imageLabel, label, relabel } = guest.label;
  return formatDomain(domain, {
    id: guest.id,
    ...(label === undefined ? {} : { label }),
    ...(imageLabel === undefined || !relabel ? {} : { imageLabel }),
  });
}
