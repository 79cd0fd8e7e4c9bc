import { getHostCapabilities } from "../../../vm/capabilities/capabilities.ts";
import { type Command, JSON_OPTION, printJson } from "../../command.ts";

/** `svirt capabilities` */
export const command: Command = {
  spec: {
    name: "capabilities",
    summary: "print the capabilities of the host and its security model, as XML",
    details: "The XML is libvirt's. --json also has the loaded policy: name, version, mode and digest.",
    recovery: "root",
    operands: [],
    options: [JSON_OPTION],
  },
  async run(call) {
    const { capabilities, xml } = await getHostCapabilities(call.instance);
    if (call.options.has("json")) {
      const { baseLabels, ...secmodel } = capabilities.secmodel;
      printJson(call, {
        ...capabilities,
        secmodel: { ...secmodel, baseLabels: Object.fromEntries(baseLabels) },
      });
    } else {
      call.output.print(`${xml}\n`);
    }
    return undefined;
  },
};
