import { SvirtError } from "../errors.ts";
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

/** Label request of a domain's XML, with libvirt's defaults. */
export interface LabelRequest {
  readonly type: "dynamic" | "static" | "none";
  readonly relabel: boolean;
  readonly label: string | undefined;
  readonly baseLabel: string | undefined;
}

/** Facts from the host's SELinux policy. */
export interface PolicyFacts {
  /** Context of svirt. A guest gets its user and role. */
  readonly own: Context;
  readonly domain: DomainContexts;
  readonly image: ImageContexts;
  /** Type of a guest's shared folders: svirt's, or the image type if svirt's policy is not loaded. */
  readonly folderType: string;
}

/** Labels of a guest and its files. */
export interface LabelDecision {
  readonly type: LabelRequest["type"];
  readonly relabel: boolean;
  /** Context of QEMU; undefined if it is not confined. */
  readonly label: string | undefined;
  /** Label of files that only this guest uses. */
  readonly imageLabel: string | undefined;
  /** Label of a folder that only this guest uses, with its contents. The guest may change modes and owners in it. */
  readonly folderLabel: string | undefined;
  /** Label of disks that several guests write; every guest may write them. */
  readonly sharedLabel: string | undefined;
  /** Label of files that guests read and no guest writes. */
  readonly contentLabel: string | undefined;
  /** Range that no other guest may have. */
  readonly range: string | undefined;
  readonly baseLabel: string | undefined;
}

/** Decision for an unconfined guest: nothing is labelled. */
export const UNCONFINED: LabelDecision = {
  type: "none",
  relabel: false,
  label: undefined,
  imageLabel: undefined,
  folderLabel: undefined,
  sharedLabel: undefined,
  contentLabel: undefined,
  range: undefined,
  baseLabel: undefined,
};

/**
 * Decides a dynamic label: user and role from svirt's context, the reserved range, and the type from the base label.
 * Without a base label, the policy names the type for this kind of guest. Throws "unsupported" for a base label that
 * cannot be parsed. libvirt security_selinux.c virSecuritySELinuxGenLabel
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
    type: "dynamic",
    relabel: true,
    label,
    baseLabel: request.baseLabel,
  };
}

/**
 * Decides a static label, given by the XML. A range of two categories is reserved, as for dynamic guests; any other is
 * the administrator's responsibility. Throws "unsupported" for a label without a range.
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
    type: "static",
    relabel: request.relabel,
    label,
    baseLabel: undefined,
  };
}

/** Returns the decision of a running guest from its record, to label files that are added to it. */
export function decisionOf(
  recorded: Pick<LabelDecision, "type" | "relabel" | "label" | "imageLabel" | "baseLabel">,
  facts: PolicyFacts,
): LabelDecision {
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
