import { SvirtError } from "../../../errors.ts";
import { findRunning } from "../../../vm/guest/find-domain.ts";
import { getDomainFacts } from "../../../vm/query/domain-facts.ts";
import { getNativeCommand } from "../../../vm/query/native-command.ts";
import { formatShellCommand } from "../../../vm/query/shell-command.ts";
import { array, countedChars, int, struct, uint } from "../../xdr/form.ts";
import { typedParameter } from "../../xdr/typed-parameter.ts";
import { listing, listOf } from "../listing.ts";
import { aboutDomain, aText, domain, keyOf, nothing, ofDomain, ofDomainWithFlags, text } from "../objects.ts";
import { invalidArgument, type Procedure, procedure } from "../procedure.ts";

/** REMOTE_SECURITY_LABEL_MAX and REMOTE_SECURITY_LABEL_LIST_MAX of libvirt's remote_protocol.x */
const [MOST_LABEL_CHARS, MOST_LABELS] = [4097, 64];
/**
 * REMOTE_DOMAIN_MESSAGES_MAX and REMOTE_DOMAIN_LAUNCH_SECURITY_INFO_PARAMS_MAX of libvirt's remote_protocol.x
 */
const [MOST_MESSAGES, MOST_LAUNCH_FACTS] = [2048, 64];
/** virDomainMessageType of libvirt's libvirt-domain.h */
const MESSAGE_FLAGS = 3;
/** virDomainCheckpointListFlags of libvirt's libvirt-domain-checkpoint.h */
const CHECKPOINT_FLAGS = 15;
/** VIR_TYPED_PARAM_STRING_OKAY */
const STRING_OKAY = 4;

const label = struct({ label: countedChars(MOST_LABEL_CHARS), enforcing: int });

/** Procedures for further facts about a domain. */
export const moreFactProcedures: readonly Procedure[] = [
  procedure({
    ...aboutDomain(278, "virDomainGetSecurityLabelList"),
    args: ofDomain,
    result: struct({ labels: array(label, MOST_LABELS), count: int }),
    async run(call) {
      // A guest without a process, or an unconfined guest, has no label.
      const { enforcing, securityLabel } = await getDomainFacts(call.instance, keyOf(call));
      if (securityLabel === undefined) return { labels: [], count: 0 };
      return { labels: [{ label: securityLabel, enforcing: enforcing === true ? 1 : 0 }], count: 1 };
    },
  }),
  procedure({
    ...aboutDomain(426, "virDomainGetMessages"),
    args: ofDomainWithFlags,
    flags: { known: MESSAGE_FLAGS, refusedBy: "qemuDomainGetMessages" },
    result: struct({ messages: array(text, MOST_MESSAGES) }),
    run(call) {
      // svirt refuses definitions tainted or called deprecated by libvirt.
      keyOf(call);
      return { messages: [] };
    },
  }),
  procedure({
    ...aboutDomain(396, "virDomainGetLaunchSecurityInfo"),
    args: ofDomainWithFlags,
    flags: { known: STRING_OKAY, refusedBy: "qemuDomainGetLaunchSecurityInfo" },
    result: struct({ params: array(typedParameter, MOST_LAUNCH_FACTS) }),
    run(call) {
      // svirt starts no guest with <launchSecurity>.
      keyOf(call);
      return { params: [] };
    },
  }),
  procedure({
    number: 136,
    api: "virConnectDomainXMLToNative",
    args: struct({ format: text, xml: text, flags: uint }),
    flags: { known: 0, refusedBy: "qemuConnectDomainXMLToNative" },
    result: aText,
    run({ args: { format, xml }, instance }) {
      if (format !== "qemu-argv")
        throw invalidArgument(`unsupported config type ${format}`, "Name qemu-argv.");
      const words = getNativeCommand(instance, { xml: new TextEncoder().encode(xml) });
      return { value: formatShellCommand(words) };
    },
  }),
  procedure({
    ...aboutDomain(413, "virDomainListAllCheckpoints"),
    args: struct({ dom: domain, needsResults: int, flags: uint }),
    flags: { known: CHECKPOINT_FLAGS, refusedBy: "qemuDomainListAllCheckpoints" },
    result: listing(struct({ name: text, dom: domain })),
    run(call) {
      // svirt makes none.
      keyOf(call);
      return listOf(call.args, []);
    },
  }),
  procedure({
    ...aboutDomain(415, "virDomainCheckpointLookupByName"),
    args: struct({ dom: domain, name: text, flags: uint }),
    flags: { known: 0, refusedBy: "qemuDomainCheckpointLookupByName" },
    result: nothing,
    run(call) {
      keyOf(call);
      throw new SvirtError(
        `Domain checkpoint not found: no domain checkpoint with matching name '${call.args.name}'`,
        { kind: "not-found", libvirt: "NO_DOMAIN_CHECKPOINT", remedy: "Take a snapshot instead." },
      );
    },
  }),
  procedure({
    ...aboutDomain(422, "virDomainBackupGetXMLDesc"),
    args: ofDomainWithFlags,
    flags: { known: 0, refusedBy: "qemuBackupGetXMLDesc" },
    result: aText,
    run(call) {
      findRunning(call.instance, keyOf(call));
      throw new SvirtError("Domain backup job id not found: no domain backup job present", {
        kind: "not-found",
        libvirt: "NO_DOMAIN_BACKUP",
        remedy: "Copy the disks instead: virsh blockcopy DOMAIN DISK",
      });
    },
  }),
];
