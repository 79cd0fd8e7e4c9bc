import { numberState } from "../../../qemu/monitor/state-numbers.ts";
import { getDomainFacts } from "../../../vm/query/domain-facts.ts";
import { getXmlAs } from "../../../vm/query/domain-xml.ts";
import { getVcpuCount } from "../../../vm/query/vcpu-counts.ts";
import { countedChars, int, struct, uhyper, uint } from "../../xdr/form.ts";
import { aboutDomain, aNumber, aText, keyOf, ofDomain, ofDomainWithFlags } from "../objects.ts";
import { type Procedure, procedure } from "../procedure.ts";

/** virDomainXMLFlags of libvirt's libvirt-domain.h */
const XML = { secure: 1, inactive: 2, updateCpu: 4, migratable: 8 };
const XML_FLAGS = XML.secure | XML.inactive | XML.updateCpu | XML.migratable;
/** REMOTE_SECURITY_LABEL_MAX of libvirt's remote_protocol.x */
const MOST_LABEL_CHARS = 4097;
const NS_PER_SECOND = 1e9;

/** Procedures for facts about a domain. */
export const factProcedures: readonly Procedure[] = [
  procedure({
    ...aboutDomain(16, "virDomainGetInfo"),
    args: ofDomain,
    // virDomainInfo of libvirt
    result: struct({ state: uint, maxKiB: uhyper, usedKiB: uhyper, vcpus: uint, cpuTimeNs: uhyper }),
    async run(call) {
      const { cpuTimeSeconds = 0, state, ...facts } = await getDomainFacts(call.instance, keyOf(call));
      return {
        state: numberState({ state, reason: "unknown" }).state,
        maxKiB: BigInt(facts.maxMemoryKiB),
        usedKiB: BigInt(facts.usedMemoryKiB),
        vcpus: facts.vcpus,
        cpuTimeNs: BigInt(Math.round(cpuTimeSeconds * NS_PER_SECOND)),
      };
    },
  }),
  procedure({
    ...aboutDomain(14, "virDomainGetXMLDesc"),
    args: ofDomainWithFlags,
    // The XML has no secrets that VIR_DOMAIN_XML_SECURE would show: svirt refuses passwords.
    flags: { known: XML_FLAGS, refusedBy: "qemuDomainGetXMLDesc" },
    result: aText,
    alsoUses: ({ flags }) =>
      (flags & (XML.secure | XML.migratable)) === 0 ? undefined : "virDomainGetXMLDesc with secure flag",
    async run(call) {
      const { flags } = call.args;
      const { channelsError, xml } = await getXmlAs(call.instance, keyOf(call), {
        form: (flags & XML.inactive) === 0 ? "running" : "defined",
        isUpdated: (flags & XML.updateCpu) !== 0,
        isMigratable: (flags & XML.migratable) !== 0,
      });
      if (channelsError !== undefined) call.session.warn(channelsError);
      return { value: `${xml.trimEnd()}\n` };
    },
  }),
  procedure({
    ...aboutDomain(17, "virDomainGetMaxMemory"),
    args: ofDomain,
    result: struct({ kiB: uhyper }),
    run: async (call) => ({ kiB: BigInt((await getDomainFacts(call.instance, keyOf(call))).maxMemoryKiB) }),
  }),
  procedure({
    ...aboutDomain(18, "virDomainGetMaxVcpus"),
    args: ofDomain,
    result: aNumber,
    run: async (call) => ({
      value: await getVcpuCount(call.instance, keyOf(call), { what: "maximum", options: {} }),
    }),
  }),
  procedure({
    ...aboutDomain(121, "virDomainGetSecurityLabel"),
    args: ofDomain,
    result: struct({ label: countedChars(MOST_LABEL_CHARS), enforcing: int }),
    async run(call) {
      const { enforcing, securityLabel = "" } = await getDomainFacts(call.instance, keyOf(call));
      return { label: securityLabel, enforcing: enforcing === true ? 1 : 0 };
    },
  }),
];
