import { parseDomainText } from "../../../domain/document.ts";
import { hostModel } from "../../../report/label-models.ts";
import { isAutostarted } from "../../../state/definitions.ts";
import { hasManagedSave } from "../../../state/managed-save.ts";
import { type FoundDomain, findDomain } from "../../../vm/guest/find-domain.ts";
import { getGuestState } from "../../../vm/query/guest-state.ts";
import { type Call, type Command, DOMAIN_OPERAND, JSON_OPTION, operand, printJson } from "../../command.ts";
import { formatFacts } from "../../output/table.ts";

/** `svirt dominfo DOMAIN` */
export const command: Command = {
  spec: {
    name: "dominfo",
    summary: "show a domain's properties and state",
    operands: [DOMAIN_OPERAND],
    options: [JSON_OPTION],
  },
  async run(call) {
    const facts = await gatherFacts(call, findDomain(call.node, operand(call, "domain")));
    if (call.options.has("json")) printJson(call, facts);
    else call.output.print(formatFacts(toLines(facts)));
    return undefined;
  },
};

type Facts = Awaited<ReturnType<typeof gatherFacts>>;

async function gatherFacts(call: Call, found: FoundDomain) {
  const { definition, guest, name, uuid } = found;
  const domain = parseDomainText(guest?.xml ?? definition?.xml ?? "");
  const state = guest === undefined ? "shut off" : (await getGuestState(call.node, guest)).state;
  return {
    id: guest?.id,
    name,
    uuid,
    state,
    vcpus: domain.vcpu?.current ?? domain.vcpu?.count ?? 1,
    cpuTimeSeconds:
      guest?.process === undefined ? undefined : call.node.host.getCpuSeconds(guest.process.pid),
    maxMemoryKiB: domain.memory.kiB,
    usedMemoryKiB: domain.currentMemoryKiB ?? domain.memory.kiB,
    persistent: definition !== undefined,
    autostart: isAutostarted(call.node, name),
    managedSave: hasManagedSave(call.node, name),
    // Of a domain that is off, the model that would label it, as in virsh.
    securityModel: guest?.label.model ?? hostModel(call.node.host).name,
    securityLabel: guest?.label.label,
    enforcing: guest === undefined ? undefined : call.node.host.getSelinux().mode === "enforcing",
  };
}

function toLines(facts: Facts): (readonly [string, string | undefined])[] {
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
    ["Persistent", facts.persistent ? "yes" : "no"],
    ["Autostart", facts.autostart ? "enable" : "disable"],
    ["Managed save", facts.managedSave ? "yes" : "no"],
    ["Security model", facts.securityModel],
    ["Security DOI", "0"],
    ["Security label", facts.securityLabel === undefined ? undefined : `${facts.securityLabel} (${mode})`],
  ];
}
