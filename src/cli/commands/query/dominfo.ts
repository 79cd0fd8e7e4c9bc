import { type DomainFacts, getDomainFacts } from "../../../vm/query/domain-facts.ts";
import { type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";
import { formatFacts } from "../../output/table.ts";
import { yesNo } from "../../output/yes-no.ts";

/** `svirt dominfo DOMAIN` */
export const command: Command = {
  spec: {
    name: "dominfo",
    summary: "show a domain's properties and state",
    operands: [DOMAIN_OPERAND],
    options: [JSON_OPTION],
  },
  async run(call) {
    const facts = await getDomainFacts(call.instance, operand(call, "domain"));
    if (call.options.has("json")) printJson(call, facts);
    else call.output.print(formatFacts(toLines(facts)));
    return undefined;
  },
};

function toLines(facts: DomainFacts): (readonly [string, string | undefined])[] {
  const mode = facts.enforcing === true ? "enforcing" : "permissive";
  return [
    ["Id", facts.id === undefined ? "-" : String(facts.id)],
    ["Name", facts.name],
    ["UUID", facts.uuid],
    ["OS Type", "hvm"],
    ["State", facts.state],
    ["CPU(s)", String(facts.vcpus)],
    ["CPU time", facts.cpuTimeSeconds === undefined ? undefined : `${facts.cpuTimeSeconds.toFixed(1)}s`],
    ["Max memory", `${facts.maxMemoryKiB} KiB`],
    ["Used memory", `${facts.usedMemoryKiB} KiB`],
    ["Persistent", yesNo(facts.persistent)],
    ["Autostart", facts.autostart ? "enable" : "disable"],
    ["Autostart Once", facts.autostartOnce ? "enable" : "disable"],
    ["Managed save", yesNo(facts.managedSave)],
    ["Security model", facts.securityModel],
    ["Security DOI", "0"],
    ["Security label", facts.securityLabel === undefined ? undefined : `${facts.securityLabel} (${mode})`],
  ];
}
