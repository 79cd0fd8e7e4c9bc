import { SvirtError } from "../errors.ts";
import { availableLevel } from "../selinux/category-pairs.ts";
import {
  type Context,
  canonicalContext,
  formatContext,
  parseContext,
  parseContextOrUndefined,
} from "../selinux/context.ts";
import {
  type DomainContexts,
  domainContextFor,
  type GuestKind,
  type ImageContexts,
} from "../selinux/contexts-files.ts";
import { pairOf } from "../selinux/level.ts";
import type { LabelDecision, RecordedLabel } from "./label-decision.ts";
import type { LabelModel } from "./label-model.ts";
import type { LabelRequest } from "./label-request.ts";
import type { FileRole } from "./role.ts";

// Rule: KVM and TCG have different types.
// Rule: A base label gives the type, a static label the whole context.

/** Facts from the host's SELinux policy. */
export interface PolicyFacts {
  /** Context of svirt. A guest gets its user and role. */
  readonly own: Context;
  readonly domain: DomainContexts;
  readonly image: ImageContexts;
  /** Type of a guest's shared folders: svirt's, or the image type if svirt's policy is not loaded. */
  readonly folderType: string;
}

/**
 * The labels of sVirt: a type for the kind of guest and two categories of its own, for QEMU and its files.
 */
export const selinux: LabelModel<PolicyFacts> = {
  name: "selinux",
  isAvailable: ({ selinux: mode }) => mode !== "disabled",
  unavailable: (settings) =>
    new SvirtError("Cannot confine the guest: the kernel runs without SELinux", {
      kind: "denied",
      remedy:
        "Boot with security=selinux selinux=1 enforcing=1. To run it unconfined anyway, set both: " +
        `<seclabel type='none'/> in its XML and security_require_confined = 0 in ${settings}.`,
    }),
  levelFor: (type, facts) => (type === "dynamic" ? availableLevel(facts.own.range) : undefined),
  decide(request, { kind, range }, facts) {
    if (request.type === "static") return decideStaticLabel(request, facts);
    if (range === undefined) throw new Error("a dynamic label is decided without a range");
    return decideDynamicLabel(request, facts, { kind, range });
  },
  recall: decisionOf,
  files: { labelOf, canonical: canonicalContext },
  verify: ({ label }) => (label === undefined ? undefined : { by: "process-context", context: label }),
  describe: ({ domain }) => ({
    model: "selinux",
    doi: "0",
    baseLabels: new Map([
      ["kvm", formatContext(domain.kvm)],
      ["qemu", formatContext(domain.qemu)],
    ]),
  }),
};

/**
 * Decides a dynamic label: user and role from svirt's context, the reserved range, and the type from the base
 * label. Without a base label, the policy names the type for this kind of guest. Throws "unsupported" for a
 * base label that cannot be parsed. libvirt security_selinux.c virSecuritySELinuxGenLabel
 */
export function decideDynamicLabel(
  request: LabelRequest,
  facts: PolicyFacts,
  guest: { readonly kind: GuestKind; readonly range: string },
): LabelDecision {
  const type = baseType(request.baseLabel) ?? domainContextFor(facts.domain, guest.kind).type;
  const { role, user } = facts.own;
  const label = formatContext({ user, role, type, range: guest.range });
  return {
    ...fileLabels(facts, guest.range),
    model: "selinux",
    type: "dynamic",
    relabel: true,
    label,
    baseLabel: request.baseLabel,
  };
}

/**
 * Decides a static label, given by the XML. A range of two categories is reserved, as for dynamic guests; any
 * other is the administrator's responsibility. Throws "unsupported" for a label without a range.
 */
export function decideStaticLabel(request: LabelRequest, facts: PolicyFacts): LabelDecision {
  const label = canonicalContext(request.label ?? "");
  const { range } = parseContext(label);
  if (range === undefined) {
    throw new SvirtError(
      `Cannot use the static label ${label}: unable to get selinux context range, it has none`,
      {
        kind: "unsupported",
        remedy: `Write a range at its end, such as ${label}:s0:c1,c2`,
      },
    );
  }
  return {
    ...fileLabels(facts, range),
    range: pairOf(range) === undefined ? undefined : range,
    model: "selinux",
    type: "static",
    relabel: request.relabel,
    label,
    baseLabel: undefined,
  };
}

function decisionOf(recorded: RecordedLabel, facts: PolicyFacts): LabelDecision {
  const range = recorded.imageLabel === undefined ? undefined : parseContext(recorded.imageLabel).range;
  return { ...fileLabels(facts, range ?? ""), ...recorded, range };
}

function fileLabels(
  facts: PolicyFacts,
  range: string,
): Pick<LabelDecision, "imageLabel" | "folderLabel" | "sharedLabel" | "contentLabel" | "range"> {
  const { content, image } = facts.image;
  const own = { user: facts.own.user, role: image.role, range };
  return {
    imageLabel: formatContext({ ...own, type: image.type }),
    folderLabel: formatContext({ ...own, type: facts.folderType }),
    sharedLabel: formatContext(image),
    contentLabel: formatContext(content),
    range,
  };
}

function labelOf(decision: LabelDecision, role: FileRole): string | undefined {
  switch (role) {
    case "private":
      return decision.imageLabel;
    case "folder":
      return decision.folderLabel;
    case "shared":
      return decision.sharedLabel;
    case "content":
      return decision.contentLabel;
    case "host":
      return undefined;
  }
}

function baseType(baseLabel: string | undefined): string | undefined {
  if (baseLabel === undefined) return undefined;
  const base = parseContextOrUndefined(baseLabel);
  if (base !== undefined) return base.type;
  // Message as in libvirt. virSecuritySELinuxGenNewContext() of libvirt
  throw new SvirtError(`Unable to parse base SELinux context '${baseLabel}': Invalid argument`, {
    kind: "unsupported",
    remedy: "Give <baselabel> a whole context, such as system_u:system_r:svirt_t:s0",
  });
}
