import { SvirtError } from "../errors.ts";
import type { Host } from "../host.ts";
import type { PolicyFacts } from "../label/decide-label.ts";
import { parseContext, parseContextOrUndefined } from "../selinux/context.ts";
import { parseDomainContexts, parseImageContexts } from "../selinux/contexts-files.ts";
import { pairOf } from "../selinux/level.ts";

/** A range's first category stands after a colon. */
const CATEGORY = /:c\d/;

/** What the loaded policy names for guests and their images. Throws "failed" with what is missing. */
export function readPolicyFacts(host: Host): PolicyFacts {
  const folder = contextsFolder(host);
  const read = (name: string): { text: string; path: string } => {
    const path = `${folder}/${name}`;
    const text = host.readText(path);
    if (text !== undefined) return { text, path };
    throw new SvirtError(`cannot read SELinux context file '${path}': there is none`, {
      kind: "failed",
      remedy: "Install a policy that knows virtual machines, and set SELINUXTYPE in /etc/selinux/config.",
    });
  };
  const domain = read("virtual_domain_context");
  const image = read("virtual_image_context");
  return {
    own: parseContext(host.getOwnContext() ?? ""),
    domain: parseDomainContexts(domain.text, domain.path),
    image: parseImageContexts(image.text, image.path),
  };
}

/** The range of a label that is one guest's own: the policy's image type with two categories. Undefined for others. */
export function privateRange(host: Host, label: string | undefined): string | undefined {
  // Nearly all files have none, and to read a context takes longer than to see that.
  if (label === undefined || !CATEGORY.test(label)) return undefined;
  const { range, type } = parseContextOrUndefined(label) ?? {};
  if (range === undefined || pairOf(range) === undefined) return undefined;
  const path = `${contextsFolder(host)}/virtual_image_context`;
  const text = host.readText(path);
  if (text === undefined) return undefined;
  return parseImageContexts(text, path).image.type === type ? range : undefined;
}

/** Where the policy keeps what programs need to know of it. selinux_config(5) */
export function contextsFolder(host: Host): string {
  return `/etc/selinux/${host.getSelinux().policyName ?? "targeted"}/contexts`;
}
