import { getDomainXml, getUpdatedXml } from "../../../vm/query/domain-xml.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** `svirt dumpxml DOMAIN` */
export const command: Command = {
  spec: {
    name: "dumpxml",
    summary: "print the XML of a running domain with its labels, or of its definition",
    details:
      "--update-cpu refuses a definition whose processor the host decides, such as host-model; libvirt replaces it.\n" +
      "With --json: the XML as a string, the domain's name and uuid, and whether the XML is a running guest's.",
    operands: [DOMAIN_OPERAND],
    options: [
      { name: "inactive", summary: "use the definition, even if the domain runs" },
      { name: "update-cpu", summary: "show the processor as the host has it" },
      JSON_OPTION,
    ],
  },
  async run(call) {
    const form = call.options.has("inactive") ? "defined" : "running";
    const get = call.options.has("update-cpu") ? getUpdatedXml : getDomainXml;
    const { channelsError, isLive, name, uuid, xml } = await get(
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
