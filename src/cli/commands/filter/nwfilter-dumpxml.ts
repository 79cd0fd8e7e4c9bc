import { getFilterXml, lookUpFilter } from "../../../vm/network/filter-list.ts";
import { type Command, FILTER_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";

/** `svirt nwfilter-dumpxml NWFILTER` */
export const command: Command = {
  spec: {
    name: "nwfilter-dumpxml",
    summary: "print the XML of a filter of interfaces",
    recovery: "none",
    operands: [FILTER_OPERAND],
    options: [JSON_OPTION],
  },
  async run(call) {
    const filter = lookUpFilter(call.instance, operand(call, "nwfilter"));
    const xml = getFilterXml(call.instance, filter.uuid);
    if (call.options.has("json")) printJson(call, { ...filter, xml });
    else call.output.print(`${xml}\n`);
    return undefined;
  },
};
