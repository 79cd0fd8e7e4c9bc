import { asSvirtError } from "../../../errors.ts";
import type { GuestRecord } from "../../../state/record.ts";
import { findDomain } from "../../../vm/guest/find-domain.ts";
import { askChannels } from "../../../vm/query/channel-states.ts";
import { formatLive } from "../../../vm/query/live-xml.ts";
import { type Call, type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt dumpxml DOMAIN` */
export const command: Command = {
  spec: {
    name: "dumpxml",
    summary: "print the XML of a running domain with its labels, or of its definition",
    details:
      "With --json: the XML as a string, the domain's name and uuid, and whether the XML is a running guest's.",
    operands: [DOMAIN_OPERAND],
    options: [{ name: "inactive", summary: "use the definition, even if the domain runs" }, JSON_OPTION],
  },
  async run(call) {
    const { definition, guest, name, uuid } = findDomain(call.instance, operand(call, "domain"));
    const isLive = guest !== undefined && !call.options.has("inactive");
    const xml = isLive
      ? formatLive(call.instance, guest, await channelsOf(call, guest))
      : (definition?.xml ?? guest?.xml ?? "");
    if (call.options.has("json")) printJson(call, { name, uuid, isLive, xml });
    else call.output.print(`${xml}\n`);
    return undefined;
  },
};

/** Returns which channels are connected; empty with a warning for a guest that does not answer. */
async function channelsOf(call: Call, guest: GuestRecord): Promise<ReadonlyMap<string, boolean>> {
  try {
    return await askChannels(call.instance, guest);
  } catch (thrown) {
    const { message } = asSvirtError(thrown);
    call.output.warn(`warning: ${oneLine(message)}: which channels are connected is not shown\n`);
    return new Map();
  }
}
