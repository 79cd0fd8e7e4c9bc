import { getXmlAs } from "../../../vm/query/domain-xml.ts";
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
      { name: "migratable", summary: "without the devices added by old versions of libvirt themselves" },
      { name: "security-info", summary: "include passwords; svirt stores none" },
      JSON_OPTION,
    ],
  },
  async run(call) {
    const { options } = call;
    const { channelsError, isLive, name, uuid, xml } = await getXmlAs(
      call.instance,
      operand(call, "domain"),
      {
        form: options.has("inactive") ? "defined" : "running",
        isUpdated: options.has("update-cpu"),
        isMigratable: options.has("migratable"),
      },
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
