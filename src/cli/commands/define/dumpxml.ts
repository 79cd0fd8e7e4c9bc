import { getDomainXml } from "../../../vm/query/domain-xml.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";
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
    const form = call.options.has("inactive") ? "defined" : "running";
    const { channelsError, isLive, name, uuid, xml } = await getDomainXml(
      call.instance,
      operand(call, "domain"),
      form,
    );
    if (channelsError !== undefined) {
      const why = oneLine(channelsError.message);
      call.output.warn(`warning: ${why}: which channels are connected is not shown\n`);
    }
    if (call.options.has("json")) printJson(call, { name, uuid, isLive, xml });
    else call.output.print(`${xml}\n`);
    return undefined;
  },
};
