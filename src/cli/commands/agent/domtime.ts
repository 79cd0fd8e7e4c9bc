import { getGuestTime, setGuestTime } from "../../../vm/guest-system/guest-clock.ts";
import { onlyOne } from "../../arguments/exclusive.ts";
import { parseWhole } from "../../arguments/whole-number.ts";
import { type Call, type Command, DOMAIN_OPERAND, operand } from "../../command.ts";

/** `svirt domtime DOMAIN` */
export const command: Command = {
  spec: {
    name: "domtime",
    summary: "show or set the time of a guest's system, by its agent",
    operands: [DOMAIN_OPERAND],
    options: [
      { name: "now", summary: "set it to the host's time" },
      { name: "pretty", summary: "show it as date and time, in UTC" },
      { name: "sync", summary: "set it to the time of the guest's hardware clock" },
      { name: "time", summary: "set it to these seconds since 1970", value: "SECONDS" },
    ],
  },
  async run(call) {
    const key = operand(call, "domain");
    const how = onlyOne(call, ["time", "now", "sync"]);
    if (how === undefined) {
      const { seconds } = await getGuestTime(call.instance, key);
      const date = new Date(Number(seconds) * 1000).toISOString();
      const shown = call.options.has("pretty") ? date.slice(0, 19).replace("T", " ") : String(seconds);
      call.output.print(`Time: ${shown}\n`);
      return undefined;
    }
    await setGuestTime(call.instance, key, timeIn(call, how));
    return undefined;
  },
};

function timeIn({ options }: Call, how: "time" | "now" | "sync"): Parameters<typeof setGuestTime>[2] {
  if (how !== "time") return how === "now" ? "host" : "hardware";
  const seconds = parseWhole(options.get("time") ?? "", "time", [0, Number.MAX_SAFE_INTEGER]);
  return { seconds: BigInt(seconds), nanoseconds: 0 };
}
