import { GUEST_FACTS, type GuestFact, getGuestInfo } from "../../../vm/guest-system/guest-info.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";
import { oneLine } from "../../output/one-line.ts";

/** Decimal places of C's %f, virsh's format of loads. */
const PLACES = 6;

/** `svirt guestinfo DOMAIN` */
export const command: Command = {
  spec: {
    name: "guestinfo",
    summary: "show what a guest's agent reports about its system",
    details:
      "Without an option: all the agent can report. The values come from the guest and are not verified.",
    operands: [DOMAIN_OPERAND],
    options: [
      { name: "user", summary: "the users who are logged in" },
      { name: "os", summary: "the operating system" },
      { name: "timezone", summary: "the time zone" },
      { name: "hostname", summary: "the guest's name for itself" },
      { name: "filesystem", summary: "the mounted file systems" },
      { name: "disk", summary: "the disks" },
      { name: "interface", summary: "the network interfaces" },
      { name: "load", summary: "the load averages" },
      JSON_OPTION,
    ],
  },
  async run(call) {
    const kinds = GUEST_FACTS.filter((kind) => call.options.has(kind));
    const facts = await getGuestInfo(call.instance, operand(call, "domain"), kinds);
    if (call.options.has("json")) printJson(call, Object.fromEntries(facts));
    else call.output.print(`${facts.map(format).join("")}\n`);
    return undefined;
  },
};

/** cmdGuestInfo() of libvirt's tools/virsh-domain.c */
function format([field, value]: GuestFact): string {
  return `${field.padEnd(20)}: ${oneLine(formatValue(field, value))}\n`;
}

function formatValue(field: string, value: GuestFact[1]): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "number" && field.startsWith("load.") ? value.toFixed(PLACES) : String(value);
}
