import { SvirtError } from "../errors.ts";
import type { LabelDecision } from "../label/label-decision.ts";
import type { ResolvedFile } from "../resolve/resolved-file.ts";
import { getFileLabel } from "../run/labels/get-file-label.ts";
import type { Instance } from "../state/instance.ts";

// Rule: A file that keeps its label must be usable under it.

/** The assumed label of a file without a label. */
const UNLABELED = "system_u:object_r:unlabeled_t:s0";

/**
 * Refuses a file unusable to the guest under its future label, by the kernel's rules. Such a file keeps its
 * own label (`relabel='no'`) or gets its label from the XML. QEMU would only say "Permission denied". Throws
 * "denied".
 */
export function refuseUnusable(
  instance: Instance,
  label: LabelDecision,
  { file, to }: { readonly file: ResolvedFile; readonly to: string | undefined },
): void {
  const { label: context } = label;
  const { facts, named, override } = file;
  const isByRule = override === undefined && label.relabel;
  if (isByRule || context === undefined || instance.host.getSelinux().mode !== "enforcing") return;
  const willBe = to ?? getFileLabel(instance.host, facts.id) ?? UNLABELED;
  if (instance.host.mayAccess({ context, label: willBe, type: facts.type, permissions: ["read"] })) return;
  throw new SvirtError(
    `Cannot give ${named} to the guest: ${context} may not read a file labelled ${willBe}`,
    {
      kind: "denied",
      remedy: `Let svirt label it (leave relabel='no' and <label> out), or label it yourself: svirt label set ${named} LABEL`,
    },
  );
}
