import { getFilterBinding } from "../../../vm/network/filter-bindings.ts";
import { type Command, JSON_OPTION, operand, printJson } from "../../command.ts";

/** `svirt nwfilter-binding-dumpxml BINDING` */
export const command: Command = {
  spec: {
    name: "nwfilter-binding-dumpxml",
    summary: "print the XML of the filter of a running guest's tap",
    operands: [{ name: "binding", summary: "name of the tap, such as vnet0" }],
    options: [JSON_OPTION],
  },
  run(call) {
    const shown = getFilterBinding(call.instance, operand(call, "binding"));
    if (call.options.has("json")) printJson(call, shown);
    else call.output.print(`${shown.xml}\n`);
    return Promise.resolve(undefined);
  },
};
