import { cpuSet } from "../../../domain/forms/id-set.ts";
import { listIothreadInfo } from "../../../vm/tuning/iothread-info.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, printJson } from "../../command.ts";
import { askOf } from "../../device-change.ts";
import { formatTable } from "../../output/table.ts";

/** `svirt iothreadinfo DOMAIN` */
export const command: Command = {
  spec: {
    name: "iothreadinfo",
    summary: "list the I/O threads of a domain, and their permitted processors",
    operands: [DOMAIN_OPERAND],
    options: [
      { name: "live", summary: "of the running guest" },
      { name: "config", summary: "of the definition" },
      { name: "current", summary: "of the guest if it runs, else of the definition; the default" },
      JSON_OPTION,
    ],
  },
  async run(call) {
    const rows = (await listIothreadInfo(call.instance, askOf(call))).map(({ cpus, id }) => ({
      id,
      cpus: cpuSet.encode(cpus),
    }));
    if (call.options.has("json")) printJson(call, rows);
    else if (rows.length === 0) call.output.print("No IOThreads found for the domain\n");
    else
      call.output.print(
        formatTable(
          ["IOThread ID", "CPU Affinity"],
          rows.map(({ cpus, id }) => [String(id), cpus]),
        ),
      );
    return undefined;
  },
};
