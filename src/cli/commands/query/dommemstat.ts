import { getMemoryStatistics } from "../../../vm/query/guest-statistics.ts";
import { setStatisticsPeriod } from "../../../vm/tuning/set-statistics-period.ts";
import { parseWhole } from "../../arguments/whole-number.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";
import { CRASH_OPTION } from "../../crash-drill.ts";
import { askOf, IMPACT_OPTIONS, printChanged } from "../../device-change.ts";
import { DRY_RUN_OPTION } from "../../label-changes.ts";

/** Limit of <stats period> in the XML. */
const MOST_SECONDS = 2 ** 31 - 1;

/** `svirt dommemstat DOMAIN` */
export const command: Command = {
  spec: {
    name: "dommemstat",
    summary: "show the memory statistics of a running guest",
    details: [
      "In KiB: actual is the size left to the guest by the balloon, rss the resident memory of its QEMU. The lines between",
      "them come from the guest, if its <memballoon> has <stats period='SECONDS'/>. --period sets this period and prints",
      "nothing.",
    ].join("\n"),
    operands: [DOMAIN_OPERAND],
    options: [
      { name: "period", summary: "period of the guest's statistics; 0 turns them off", value: "SECONDS" },
      ...IMPACT_OPTIONS,
      DRY_RUN_OPTION,
      CRASH_OPTION,
      JSON_OPTION,
    ],
  },
  async run(call) {
    const period = call.options.get("period");
    const seconds = period === undefined ? undefined : parseWhole(period, "period", [0, MOST_SECONDS]);
    if (seconds !== undefined) {
      printChanged(call, await setStatisticsPeriod(call.instance, askOf(call), seconds), "");
      return undefined;
    }
    const memory = await getMemoryStatistics(call.instance, operand(call, "domain"));
    if (call.options.has("json")) {
      const { told, ...numbers } = memory;
      printJson(call, { ...numbers, ...Object.fromEntries(told) });
    } else {
      const told = memory.told.map(([name, value]) => `${name} ${value}\n`).join("");
      const rss = memory.rssKiB === undefined ? "" : `rss ${memory.rssKiB}\n`;
      call.output.print(`actual ${memory.actualKiB}\n${told}${rss}\n`);
    }
    return undefined;
  },
};
