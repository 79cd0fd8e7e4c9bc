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

/** What a domain's XML asks for, with libvirt's defaults filled in. */
export interface LabelRequest {
  readonly type: "dynamic" | "static" | "none";
  readonly relabel: boolean;
  readonly label: string | undefined;
  readonly baseLabel: string | undefined;
}

/** What the node's policy says. */
export interface PolicyFacts {
  /** svirt's own context: a guest gets its user and role. */
  readonly own: Context;
  readonly domain: DomainContexts;
  readonly image: ImageContexts;
  /** The type of a guest's shared folders: svirt's own, or that of images where svirt's policy is not loaded. */
  readonly folderType: string;
}

/** What a guest and its files are labelled with. */
export interface LabelDecision {
  readonly type: LabelRequest["type"];
  readonly relabel: boolean;
  /** The context QEMU runs in; undefined: not confined. */
  readonly label: string | undefined;
  /** For what is this guest's alone. */
  readonly imageLabel: string | undefined;
  /** For a folder of this guest's alone with all that is in it: modes and owners may be changed there. */
  readonly folderLabel: string | undefined;
  /** For disks that guests share for writing: every guest may. */
  readonly sharedLabel: string | undefined;
  /** For what guests read and nobody writes. */
  readonly contentLabel: string | undefined;
  /** The range that nobody else may have. */
  readonly range: string | undefined;
  readonly baseLabel: string | undefined;
}

/** The decision for a guest that is not confined: nothing is labelled. */
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
 * A dynamic label: user and role from svirt's own context, type from the base label or from what the policy names for
 * this kind of guest, and the range that was reserved. Throws "unsupported" for a base label that cannot be read.
 * libvirt security_selinux.c virSecuritySELinuxGenLabel
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
 * A label that the XML gives. Its range is nobody else's if it has two categories as those of dynamic guests; any other
 * is the administrator's own affair. Throws "unsupported" for one without a range.
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

/** The decision that a running guest was started with, for files that it is given more. */
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
  // In the reference's words. virSecuritySELinuxGenNewContext() of libvirt
  throw new SvirtError(`Unable to parse base SELinux context '${baseLabel}': Invalid argument`, {
    kind: "unsupported",
    remedy: "Give <baselabel> a whole context, such as system_u:system_r:svirt_t:s0",
  });
}
