import { SvirtError } from "../errors.ts";
import type { Host } from "../host/host.ts";
import type { PolicyFacts } from "../label/selinux-model.ts";
import { formatContext, parseContext, parseContextOrUndefined } from "../selinux/context.ts";
import { parseDomainContexts, parseImageContexts } from "../selinux/contexts-files.ts";
import { pairOf } from "../selinux/level.ts";

/** Type of a guest's shared folders and of its TPM's state. image/policy/svirt-guest.cil */
const FOLDER_TYPE = "svirt_folder_t";
/** First category of a range, after a colon. */
const CATEGORY = /:c\d/;

/**
 * Reads the contexts that the loaded policy names for guests and images. Throws "failed" and names a missing
 * file.
 */
export function readPolicyFacts(host: Host): PolicyFacts {
  const folder = contextsFolder(host);
  const read = (name: string): { text: string; path: string } => {
    const path = `${folder}/${name}`;
    const text = host.readText(path);
    if (text !== undefined) return { text, path };
    throw new SvirtError(`cannot read SELinux context file '${path}': it does not exist`, {
      kind: "failed",
      remedy: "Install a policy with types for virtual machines, and set SELINUXTYPE in /etc/selinux/config.",
    });
  };
  const domain = read("virtual_domain_context");
  const { path, text } = read("virtual_image_context");
  const image = parseImageContexts(text, path);
  const hasFolders = host.isValidContext(formatContext({ ...image.image, type: FOLDER_TYPE }));
  return {
    own: parseContext(host.getOwnContext() ?? ""),
    domain: parseDomainContexts(domain.text, domain.path),
    image,
    folderType: hasFolders ? FOLDER_TYPE : image.image.type,
  };
}

/**
 * Returns the context in which QEMU describes itself as an emulator of guests of this type: their domain,
 * without categories.
 */
export function probeContext({ domain, own }: PolicyFacts, type: "kvm" | "qemu"): string {
  return formatContext({ ...domain[type], user: own.user, role: own.role });
}

/**
 * Returns the range of a guest's private label: an image or folder type with two categories. Otherwise
 * undefined.
 */
export function privateRange(host: Host, label: string | undefined): string | undefined {
  // Most files have no categories, and this test is faster than parsing a context.
  if (label === undefined || !CATEGORY.test(label)) return undefined;
  const { range, type } = parseContextOrUndefined(label) ?? {};
  if (range === undefined || type === undefined || pairOf(range) === undefined) return undefined;
  return type === FOLDER_TYPE || imageType(host) === type ? range : undefined;
}

/**
 * Whether guests write files of a label's type, so that only its range keeps a guest from them. Guests with
 * categories dominate a range without. image/policy/svirt-guest.cil; types of the reference policy are named
 * alike
 */
export function isWrittenByGuests(host: Host, label: string): boolean {
  const { type } = parseContext(label);
  return type.startsWith("svirt_") || type === imageType(host);
}

/** Returns the type of guests' own images; undefined without a policy for guests. */
function imageType(host: Host): string | undefined {
  const path = `${contextsFolder(host)}/virtual_image_context`;
  const text = host.readText(path);
  return text === undefined ? undefined : parseImageContexts(text, path).image.type;
}

/** Returns the folder of the policy's context files for programs. selinux_config(5) */
export function contextsFolder(host: Host): string {
  return `/etc/selinux/${host.getSelinux().policyName ?? "targeted"}/contexts`;
}
